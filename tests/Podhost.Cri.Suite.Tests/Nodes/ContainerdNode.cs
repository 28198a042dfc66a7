using Podhost.Tests.Shared;

namespace Podhost.Cri.Suite.Tests.Nodes;

/// <summary>A real containerd, as the distribution packages it.</summary>
public sealed class ContainerdNode : CriNode
{
    private ContainerdProcess? _containerd;

    internal override string? CannotRun { get; } = ContainerdProcess.WhyNot();

    internal override bool IsContainerd => true;

    private protected override async Task<string> StartRuntimeAsync()
    {
        var number = Environment.ProcessId;
        _containerd = await ContainerdProcess.StartAsync(Path.Combine(Root, "ctd"), $"phsc{number % 10000}", $"10.{220 + (number % 20)}.{number % 250}.0/24");
        return _containerd.Endpoint;
    }

    private protected override Task StopRuntimeAsync() => _containerd!.DisposeAsync().AsTask();
}
