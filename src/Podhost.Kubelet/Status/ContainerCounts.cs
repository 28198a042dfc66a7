using System.Collections.Concurrent;
using System.Globalization;
using k8s.Models;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Server.Metrics;

namespace Podhost.Kubelet.Status;

/// <summary>How many containers this kubelet started, could not start, and saw end: series of /metrics under upstream's names.</summary>
internal sealed class ContainerCounts
{
    private const string Started = "kubelet_started_containers_total";
    private const string Errors = "kubelet_started_containers_errors_total";
    private const string Terminated = "kubelet_terminated_containers_total";

    private readonly ConcurrentDictionary<Series, long> counts = new();

    /// <summary>Counts what a decision took note of.</summary>
    public void Follow(PodView view, PodDecision decision)
    {
        foreach (var outcome in view.Outcomes)
        {
            if (outcome.Effect is StartContainer start && outcome.Failure?.Kind != FailureKind.Cancelled)
            {
                Add(outcome.Failure is { } failure ? new Series(Errors, Type(start.Kind), failure.Reason) : new Series(Started, Type(start.Kind)));
            }
        }

        foreach (var (type, end) in Ends(view.Memory.Status ?? view.Pod.Status, decision.Status))
        {
            Add(new Series(Terminated, type, end.ExitCode.ToString(CultureInfo.InvariantCulture), end.Reason ?? ""));
        }
    }

    /// <summary>The series in Prometheus' text format.</summary>
    public override string ToString()
    {
        var writer = new PrometheusWriter();
        Write(writer, Started, "Cumulative number of containers started");
        Write(writer, Errors, "Cumulative number of errors when starting containers", "code");
        Write(writer, Terminated, "Cumulative number of containers terminated, broken down by exit code", "exit_code", "reason");
        return writer.ToString();
    }

    /// <summary>The ends that a status tells and the one before it did not; pure.</summary>
    internal static IEnumerable<(string Type, V1ContainerStateTerminated End)> Ends(V1PodStatus? before, V1PodStatus after)
    {
        var known = All(before).Select(e => e.End.ContainerID).ToHashSet(StringComparer.Ordinal);
        return All(after).Where(e => !string.IsNullOrEmpty(e.End.ContainerID) && !known.Contains(e.End.ContainerID));
    }

    private static IEnumerable<(string Type, V1ContainerStateTerminated End)> All(V1PodStatus? status) =>
        Of(ContainerKind.Init, status?.InitContainerStatuses)
            .Concat(Of(ContainerKind.Main, status?.ContainerStatuses))
            .Concat(Of(ContainerKind.Ephemeral, status?.EphemeralContainerStatuses));

    private static IEnumerable<(string Type, V1ContainerStateTerminated End)> Of(ContainerKind kind, IList<V1ContainerStatus>? statuses) =>
        from status in statuses ?? []
        from end in new[] { status.State?.Terminated, status.LastState?.Terminated }
        where end is not null
        select (Type(kind), end);

    private static string Type(ContainerKind kind) => kind switch
    {
        ContainerKind.Init => "init_container",
        ContainerKind.Ephemeral => "ephemeral_container",
        _ => "container",
    };

    private void Add(Series series) => counts.AddOrUpdate(series, 1, static (_, count) => count + 1);

    private void Write(PrometheusWriter writer, string name, string help, params string[] labels)
    {
        writer.Metric(name, "counter", help);
        var ordered = counts.Where(c => c.Key.Name == name).OrderBy(c => c.Key.Type, StringComparer.Ordinal).ThenBy(c => c.Key.First, StringComparer.Ordinal);
        foreach (var (series, count) in ordered)
        {
            writer.Sample(name, count, null, [("container_type", series.Type), .. labels.Zip([series.First, series.Second])]);
        }
    }

    private readonly record struct Series(string Name, string Type, string First = "", string Second = "");
}
