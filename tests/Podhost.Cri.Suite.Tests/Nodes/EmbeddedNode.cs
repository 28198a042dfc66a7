namespace Podhost.Cri.Suite.Tests.Nodes;

/// <summary><c>podhost runtime --listen</c>.</summary>
public sealed class EmbeddedNode : CriNode
{
    private PodhostProcess? _podhost;

    internal override string? CannotRun => Environment.UserName != "root" ? "real containers need root"
        : new[] { "conmon", "catatonit", "busybox" }.FirstOrDefault(p => !File.Exists("/usr/bin/" + p) && !File.Exists("/bin/" + p)) is { } missing ? $"{missing} is not installed" : null;

    internal override bool IsContainerd => false;

    private protected override async Task<string> StartRuntimeAsync()
    {
        _podhost = new PodhostProcess(Root, Environment.ProcessId % 10000);
        var endpoint = $"unix://{Root}/cri.sock";
        await _podhost.StartAsync("runtime", "--listen", endpoint);
        return endpoint;
    }

    private protected override Task StopRuntimeAsync() => _podhost!.DisposeAsync().AsTask();
}
