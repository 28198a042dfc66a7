using System.Globalization;
using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Tables;

/// <summary>One line about a pod.</summary>
/// <param name="Reason">The Status column.</param>
/// <param name="Ready">Containers that are ready.</param>
/// <param name="Total">Containers and sidecars.</param>
/// <param name="Restarts">Restarts of those containers that count at this stage.</param>
/// <param name="LastRestart">When the last of them ended before it was restarted.</param>
internal sealed record PodSummary(string Reason, int Ready, int Total, long Restarts, DateTimeOffset? LastRestart)
{
    /// <summary>Sums a pod up.</summary>
    public static PodSummary Of(JsonObject pod)
    {
        var state = new State(pod);
        var initializing = ReadInitContainers(pod, state);
        if (!initializing || IsTrue(pod, "Initialized"))
        {
            ReadContainers(pod, state);
        }

        if (Meta.IsDeleting(pod))
        {
            state.Reason = DeletingReason(pod) ?? state.Reason;
        }

        return new PodSummary(state.Reason, state.Ready, state.Total, state.Restarts, state.LastRestart);
    }

    /// <summary>The objects of a list that may be missing.</summary>
    public static IEnumerable<JsonObject> Objects(JsonNode? list) => (list as JsonArray)?.OfType<JsonObject>() ?? [];

    private static bool ReadInitContainers(JsonObject pod, State state)
    {
        var sidecars = Objects(Meta.At(pod, "spec", "initContainers"))
            .Where(c => Meta.Text(c["restartPolicy"]) == "Always")
            .Select(c => Meta.Text(c["name"]))
            .ToHashSet(StringComparer.Ordinal);
        state.Total += sidecars.Count;
        var index = 0;
        foreach (var status in Objects(Meta.At(pod, "status", "initContainerStatuses")))
        {
            state.CountInitRestart(status);
            var isSidecar = sidecars.Contains(Meta.Text(status["name"]));
            if (isSidecar)
            {
                state.CountSidecarRestart(status);
            }

            var terminated = Terminated(status);
            if (terminated is not null && Number(terminated["exitCode"]) == 0)
            {
                index++;
                continue;
            }

            if (isSidecar && Flag(status["started"]))
            {
                state.Ready += Flag(status["ready"]) ? 1 : 0;
                index++;
                continue;
            }

            state.Reason = InitReason(pod, status, terminated, index);
            return true;
        }

        return false;
    }

    private static string InitReason(JsonObject pod, JsonObject status, JsonObject? terminated, int index)
    {
        if (terminated is not null)
        {
            return "Init:" + EndReason(terminated);
        }

        var waiting = Meta.Text(Meta.At(status, "state", "waiting", "reason"));
        return waiting is "" or "PodInitializing"
            ? string.Create(CultureInfo.InvariantCulture, $"Init:{index}/{Objects(Meta.At(pod, "spec", "initContainers")).Count()}")
            : "Init:" + waiting;
    }

    private static void ReadContainers(JsonObject pod, State state)
    {
        state.BeginContainers();
        var running = false;
        foreach (var status in Objects(Meta.At(pod, "status", "containerStatuses")).Reverse())
        {
            state.CountRestart(status);
            var waiting = Meta.Text(Meta.At(status, "state", "waiting", "reason"));
            if (waiting.Length > 0)
            {
                state.Reason = waiting;
            }
            else if (Terminated(status) is { } terminated)
            {
                state.Reason = EndReason(terminated);
            }
            else if (Flag(status["ready"]) && Meta.At(status, "state", "running") is JsonObject)
            {
                running = true;
                state.Ready++;
            }
        }

        // One container has ended, another runs on: the pod as a whole runs.
        if (state.Reason == "Completed" && running)
        {
            state.Reason = IsTrue(pod, "Ready") ? "Running" : "NotReady";
        }
    }

    private static string? DeletingReason(JsonObject pod)
    {
        if (Meta.Text(Meta.At(pod, "status", "reason")) == "NodeLost")
        {
            return "Unknown";
        }

        return Meta.Text(Meta.At(pod, "status", "phase")) is "Succeeded" or "Failed" ? null : "Terminating";
    }

    private static string EndReason(JsonObject terminated)
    {
        if (Meta.Text(terminated["reason"]) is { Length: > 0 } reason)
        {
            return reason;
        }

        return Number(terminated["signal"]) is var signal and not 0
            ? string.Create(CultureInfo.InvariantCulture, $"Signal:{signal}")
            : string.Create(CultureInfo.InvariantCulture, $"ExitCode:{Number(terminated["exitCode"])}");
    }

    private static bool IsTrue(JsonObject pod, string condition) =>
        Objects(Meta.At(pod, "status", "conditions")).Any(c => Meta.Text(c["type"]) == condition && Meta.Text(c["status"]) == "True");

    private static JsonObject? Terminated(JsonObject status) => Meta.At(status, "state", "terminated") as JsonObject;

    private static long Number(JsonNode? node) => node is JsonValue v && v.TryGetValue(out long n) ? n : 0;

    private static bool Flag(JsonNode? node) => node is JsonValue v && v.TryGetValue(out bool b) && b;

    private sealed class State(JsonObject pod)
    {
        private long _sidecarRestarts;
        private DateTimeOffset? _sidecarLast;

        public string Reason { get; set; } = FirstReason(pod);

        public int Ready { get; set; }

        public int Total { get; set; } = Objects(Meta.At(pod, "spec", "containers")).Count();

        public long Restarts { get; private set; }

        public DateTimeOffset? LastRestart { get; private set; }

        public void CountInitRestart(JsonObject status) => CountRestart(status);

        public void CountSidecarRestart(JsonObject status)
        {
            _sidecarRestarts += Number(status["restartCount"]);
            _sidecarLast = Later(_sidecarLast, status);
        }

        // Once the pod is initialized, the restarts of its init containers no longer count; those of sidecars do.
        public void BeginContainers()
        {
            Restarts = _sidecarRestarts;
            LastRestart = _sidecarLast;
        }

        public void CountRestart(JsonObject status)
        {
            Restarts += Number(status["restartCount"]);
            LastRestart = Later(LastRestart, status);
        }

        private static string FirstReason(JsonObject pod)
        {
            var gated = Objects(Meta.At(pod, "status", "conditions"))
                .Any(c => Meta.Text(c["type"]) == "PodScheduled" && Meta.Text(c["reason"]) == "SchedulingGated");
            if (gated)
            {
                return "SchedulingGated";
            }

            return Meta.Text(Meta.At(pod, "status", "reason")) is { Length: > 0 } reason ? reason : Meta.Text(Meta.At(pod, "status", "phase"));
        }

        private static DateTimeOffset? Later(DateTimeOffset? known, JsonObject status)
        {
            var text = Meta.Text(Meta.At(status, "lastState", "terminated", "finishedAt"));
            if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var ended))
            {
                return known;
            }

            return known is null || ended > known ? ended : known;
        }
    }
}
