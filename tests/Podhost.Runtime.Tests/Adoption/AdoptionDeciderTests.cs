using Podhost.Runtime.Adoption;
using Podhost.Runtime.Processes;
using Podhost.Runtime.State;

namespace Podhost.Runtime.Tests.Adoption;

public sealed class AdoptionDeciderTests
{
    [Theory]
    [InlineData("Creating", true, "Discard")]
    [InlineData("Removing", true, "Discard")]
    [InlineData("Ready", true, "Keep")]
    [InlineData("Ready", false, "MarkNotReady")]
    [InlineData("NotReady", false, "Keep")]
    public void Sandboxes(string phase, bool alive, string expected)
    {
        var world = new ObservedWorld { LiveInfra = alive ? new HashSet<string> { "s" } : [] };
        var plan = AdoptionDecider.Decide([Sandbox("s", Enum.Parse<SandboxPhase>(phase))], [], world);
        Assert.Equal(expected, plan.Sandboxes.Single().Action.ToString());
    }

    [Theory]
    [InlineData("Creating", false, false, null, "Discard")]
    [InlineData("Removing", true, false, null, "Discard")]
    [InlineData("Created", false, false, null, "Keep")]
    [InlineData("Exited", false, true, null, "Keep")]
    [InlineData("Running", true, false, null, "Adopt")]
    [InlineData("Running", true, true, null, "RecordExit")]
    [InlineData("Running", false, true, null, "RecordExit")]
    [InlineData("Running", false, false, null, "MarkLost")]
    [InlineData("Starting", true, false, "Created", "FinishStart")]
    [InlineData("Starting", true, false, "Running", "Adopt")]
    [InlineData("Starting", true, false, "Absent", "MarkLost")]
    [InlineData("Starting", false, false, "Created", "MarkLost")]
    [InlineData("Starting", false, true, "Stopped", "RecordExit")]
    public void Containers(string phase, bool alive, bool exited, string? status, string expected)
    {
        var world = new ObservedWorld
        {
            LiveInfra = new HashSet<string> { "s" },
            LiveContainers = alive ? new HashSet<string> { "c" } : [],
            Exits = exited ? new Dictionary<string, (int, long)> { ["c"] = (1, 2) } : [],
            Interrupted = status is null ? [] : new Dictionary<string, OciStatus> { ["c"] = Enum.Parse<OciStatus>(status) },
        };
        var plan = AdoptionDecider.Decide([Sandbox("s", SandboxPhase.Ready)], [Container("c", "s", Enum.Parse<ContainerPhase>(phase))], world);
        Assert.Equal(expected, plan.Containers.Single().Action.ToString());
    }

    [Fact]
    public void A_container_without_its_sandbox_is_discarded()
    {
        var plan = AdoptionDecider.Decide([], [Container("c", "s", ContainerPhase.Running)], new ObservedWorld());
        Assert.Equal(ContainerAction.Discard, plan.Containers.Single().Action);
    }

    [Fact]
    public void What_no_record_owns_is_an_orphan()
    {
        var world = new ObservedWorld
        {
            Traces = new HashSet<string> { "s", "c", "c-image-0", "x", "y" },
            NetworkTraces = new HashSet<string> { "s0123", "t", "gone" },
        };
        var container = Container("c", "s", ContainerPhase.Exited) with { ImageMountKeys = ["c-image-0"] };
        var plan = AdoptionDecider.Decide(
            [Sandbox("s", SandboxPhase.NotReady), Sandbox("s01234567", SandboxPhase.NotReady), Sandbox("gone", SandboxPhase.NotReady) with { NetworkReleased = true }], [container], world);
        Assert.Equal(["x", "y"], plan.Orphans);
        Assert.Equal(["gone", "t"], plan.NetworkOrphans);
    }

    private static SandboxRecord Sandbox(string id, SandboxPhase phase) => new() { Id = id, ConfigBytes = [], CgroupParent = "/x", Phase = phase };

    private static ContainerRecord Container(string id, string sandbox, ContainerPhase phase) => new()
    {
        Id = id, SandboxId = sandbox, ConfigBytes = [], Phase = phase, RuntimePath = "/r", CgroupPath = "/x", ImageId = "i", ImageRef = "i",
    };
}
