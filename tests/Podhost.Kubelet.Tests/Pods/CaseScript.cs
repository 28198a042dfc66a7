using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Patching;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Probes;

namespace Podhost.Kubelet.Tests.Pods;

/// <summary>
/// Plays the steps of a golden case. A step says what is different from the step before: seconds passed, a merge patch of the pod, what the
/// runtime has, outcomes of effects, probe results. Memory and effects in flight are carried on, as the loop does it.
/// </summary>
internal sealed class CaseScript(JsonObject script)
{
    private static readonly DateTimeOffset Begin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly List<PodEffect> inFlight = [];
    private readonly Dictionary<ProbeKey, ProbeView> probes = [];
    private JsonObject pod = (JsonObject)script["pod"]!.DeepClone();
    private PodMemory memory = PodMemory.Empty;
    private RuntimeView? runtime = RuntimeView.Nothing(Begin);
    private AdmissionVerdict? admission = AdmissionVerdict.Ok;
    private PodAllocation? allocation;
    private bool gone;
    private DateTimeOffset now = Begin;

    public JsonArray Play()
    {
        var decisions = new JsonArray();
        foreach (var step in script["steps"]!.AsArray())
        {
            decisions.Add((JsonNode)Play((JsonObject)step!));
        }

        return decisions;
    }

    private JsonObject Play(JsonObject step)
    {
        now += TimeSpan.FromSeconds(step["seconds"]?.GetValue<double>() ?? 0);
        if (step["pod"] is JsonObject patch)
        {
            pod = (JsonObject)MergePatch.Apply(pod, patch)!;
        }

        if (step["admission"] is JsonObject verdict)
        {
            admission = new AdmissionVerdict(false, verdict["reason"]!.GetValue<string>(), verdict["message"]!.GetValue<string>());
        }

        allocation = step["allocation"] is JsonObject a ? Allocation(a) : allocation;
        gone |= step["gone"]?.GetValue<bool>() == true;
        runtime = step["runtime"] is JsonObject r ? Runtime(r) : runtime;
        foreach (var (key, result) in step["probes"] as JsonObject ?? [])
        {
            var parts = key.Split('/');
            probes[new ProbeKey(parts[0], Enum.Parse<ProbeKind>(parts[1]))] = new ProbeView(Enum.Parse<ProbeResult>(result!.GetValue<string>()), "");
        }

        var outcomes = (step["outcomes"] as JsonObject ?? []).Select(o => Outcome(o.Key, (JsonObject)o.Value!)).ToImmutableArray();
        if (step["restart"]?.GetValue<bool>() == true)
        {
            memory = PodMemory.Empty;
            inFlight.Clear();
            probes.Clear();
        }

        var view = new PodView
        {
            Pod = Applied(),
            Wanted = ObjectCodec.ToModel<V1Pod>(pod),
            Allocation = allocation,
            Origin = script["origin"] is { } o ? Enum.Parse<PodOrigin>(o.GetValue<string>()) : PodOrigin.Api,
            Gone = gone,
            Stop = step["stop"] is JsonObject s ? new StopRequest(Enum.Parse<StopCause>(Text(s, "cause")), TimeSpan.FromSeconds(s["grace"]!.GetValue<double>()), Text(s, "reason"), Text(s, "message")) : null,
            Runtime = runtime,
            Probes = probes.ToImmutableDictionary(),
            Admission = admission,
            InFlight = [.. inFlight],
            Outcomes = outcomes,
            ReferencesChanged = step["referencesChanged"]?.GetValue<bool>() == true,
            Memory = memory,
            Settings = new PodSettings { NodeName = "node-1", HostIPs = ["192.0.2.1"] },
            Now = now,
        };
        var decision = PodDecider.Decide(view);
        Assert.Empty(PodInvariants.Breaches(view, decision));
        memory = decision.Memory;
        inFlight.Clear();
        inFlight.AddRange(decision.Effects);
        return CaseText.Of(decision, Begin);
    }

    private V1Pod Applied()
    {
        var model = ObjectCodec.ToModel<V1Pod>(pod);
        return allocation?.Apply(model) ?? model;
    }

    private static PodAllocation Allocation(JsonObject a) => new(
        a["generation"]!.GetValue<long>(),
        ((JsonObject)a["containers"]!).ToImmutableDictionary(c => c.Key, c => ObjectCodec.ToModel<V1ResourceRequirements>(c.Value!)),
        a["pending"] is JsonObject p ? new PendingResize(Text(p, "reason"), Text(p, "message")) : null)
    {
        Whole = a["pod"] is { } whole ? ObjectCodec.ToModel<V1ResourceRequirements>(whole) : null,
    };

    private EffectOutcome Outcome(string key, JsonObject o)
    {
        var effect = inFlight.FirstOrDefault(e => e.Key == key) ?? throw new InvalidOperationException($"{key} is not in flight: {string.Join(", ", inFlight.Select(e => e.Key))}");
        inFlight.Remove(effect);
        var failure = o["reason"] is { } reason
            ? new EffectFailure(o["config"]?.GetValue<bool>() == true ? FailureKind.Config : FailureKind.Transient, reason.GetValue<string>(), Text(o, "message"))
            : null;
        return new EffectOutcome(effect, now, failure)
        {
            ContainerId = Text(o, "id"),
            Created = o["id"] is not null,
            Image = o["image"] is { } image ? new ImageFact(image.GetValue<string>(), 1000) { NeedsPull = o["needsPull"]?.GetValue<bool>() == true } : null,
            Took = TimeSpan.FromMilliseconds(1200),
            TookWithWaiting = TimeSpan.FromMilliseconds(1500),
        };
    }

    private RuntimeView Runtime(JsonObject r)
    {
        var sandboxes = (r["sandboxes"] as JsonArray ?? []).Select(n => (JsonObject)n!).Select((s, i) => new SandboxView(
            Text(s, "id"), (uint)(s["attempt"]?.GetValue<int>() ?? 0), s["ready"]?.GetValue<bool>() ?? true, At(s, "created"), s["ip"] is { } ip ? [ip.GetValue<string>()] : []));
        var containers = (r["containers"] as JsonArray ?? []).Select(n => (JsonObject)n!).Select(c => new ContainerView
        {
            Id = Text(c, "id"),
            Name = Text(c, "name"),
            SandboxId = c["sandbox"]?.GetValue<string>() ?? "s1",
            Attempt = (uint)(c["attempt"]?.GetValue<int>() ?? 0),
            State = Enum.Parse<RunState>(Text(c, "state")),
            CreatedAt = At(c, "started"),
            StartedAt = At(c, "started"),
            FinishedAt = At(c, "finished"),
            ExitCode = c["exit"]?.GetValue<int>() ?? 0,
            Reason = Text(c, "reason"),
            Message = Text(c, "message"),
            ImageRef = "sha256:img",
            SpecHash = Text(c, "hash"),
            Grace = c["grace"] is { } grace ? TimeSpan.FromSeconds(grace.GetValue<double>()) : null,
        });
        return new RuntimeView(now, [.. sandboxes], [.. containers]);
    }

    private static DateTimeOffset At(JsonObject o, string name) => o[name] is { } seconds ? Begin.AddSeconds(seconds.GetValue<double>()) : default;

    private static string Text(JsonObject o, string name) => o[name]?.GetValue<string>() ?? "";
}

/// <summary>The compact form of a decision.</summary>
internal static class CaseText
{
    public static JsonObject Of(PodDecision decision, DateTimeOffset begin)
    {
        var text = new JsonObject
        {
            ["stage"] = decision.Memory.Stage.ToString(),
            ["effects"] = List(decision.Effects.Select(e => Effect(e, begin))),
            ["events"] = List(decision.Events.Select(e => $"{(e.Warning ? "Warning" : "Normal")} {e.Reason} {e.FieldPath}: {e.Message}")),
        };
        if (decision.ProbeTargets.Length > 0)
        {
            text["probes"] = List(decision.ProbeTargets.Select(t => $"{t.ContainerId} {t.Kind}"));
        }

        if (decision.WakeAt is { } at)
        {
            text["wakeAfter"] = Seconds(at, begin);
        }

        text["status"] = Status(decision.Status);
        return text;
    }

    private static string Effect(PodEffect e, DateTimeOffset begin) => e switch
    {
        StartContainer s => $"{e.Key} attempt={s.Attempt} sandbox={s.SandboxId} image={s.ImageRef}{(s.TargetContainerId is { } t ? " target=" + t : "")}",
        StopContainer s => $"Stop {e.Key} until {Seconds(s.Deadline, begin)}s",
        CreateSandbox c => $"Create sandbox attempt={c.Attempt}",
        EnsureCgroup { Widen: true } => $"WidenCgroup {e.Key}",
        _ => $"{e.GetType().Name} {e.Key}",
    };

    private static JsonObject Status(V1PodStatus s)
    {
        var text = new JsonObject { ["phase"] = s.Phase };
        foreach (var (name, value) in new[] { ("reason", s.Reason), ("message", s.Message), ("podIP", s.PodIP) })
        {
            if (value is not null)
            {
                text[name] = value;
            }
        }

        if (s.Resources is not null)
        {
            text["resources"] = ObjectCodec.ToObject(s.Resources);
            text["allocatedResources"] = List((s.AllocatedResources ?? new Dictionary<string, ResourceQuantity>()).Select(r => $"{r.Key}={r.Value}"));
        }

        text["conditions"] = List(s.Conditions.Select(c => $"{c.Type}={c.Status} {c.Reason} {c.Message}".TrimEnd()));
        var containers = new JsonObject();
        foreach (var c in (s.InitContainerStatuses ?? []).Concat(s.ContainerStatuses ?? []).Concat(s.EphemeralContainerStatuses ?? []))
        {
            containers[c.Name] = $"{State(c.State)} ready={c.Ready} started={c.Started} restarts={c.RestartCount} last=[{State(c.LastState)}]";
        }

        text["containers"] = containers;
        return text;
    }

    private static string State(V1ContainerState? s) =>
        s?.Running is { } r ? $"running since {r.StartedAt:HH:mm:ss}"
        : s?.Waiting is { } w ? $"waiting {w.Reason} {w.Message}".TrimEnd()
        : s?.Terminated is { } t ? $"terminated {t.Reason} exit={t.ExitCode} {t.Message}".TrimEnd()
        : "";

    private static JsonArray List(IEnumerable<string> items) => new([.. items.Select(i => (JsonNode)JsonValue.Create(i))]);

    private static string Seconds(DateTimeOffset at, DateTimeOffset begin) => (at - begin).TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);
}
