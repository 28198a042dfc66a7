using k8s.Models;
using Podhost.Kubelet.Status;

namespace Podhost.Kubelet.Tests.Status;

/// <summary>Which ends of containers are counted.</summary>
public sealed class ContainerCountsTests
{
    [Fact]
    public void Each_end_counts_once_wherever_the_status_tells_it()
    {
        var running = Status("app", new V1ContainerState { Running = new V1ContainerStateRunning() }, null);
        var ended = Status("app", End("c1", 42), null);
        var again = Status("app", End("c2", 0), End("c1", 42));
        Assert.Equal(["c1"], Ids(null, ended));
        Assert.Equal(["c1"], Ids(running, ended));
        Assert.Empty(Ids(ended, ended));
        Assert.Equal(["c2"], Ids(ended, again));
        Assert.Equal(["c2", "c1"], Ids(running, again));
        Assert.Empty(Ids(null, Status("app", End("", 0), null)));
    }

    private static string[] Ids(V1PodStatus? before, V1PodStatus after) => [.. ContainerCounts.Ends(before, after).Select(e => e.End.ContainerID)];

    private static V1ContainerState End(string id, int code) => new() { Terminated = new V1ContainerStateTerminated { ContainerID = id, ExitCode = code } };

    private static V1PodStatus Status(string name, V1ContainerState state, V1ContainerState? last) =>
        new() { ContainerStatuses = [new V1ContainerStatus { Name = name, State = state, LastState = last }] };
}
