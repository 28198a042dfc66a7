namespace Podhost.Streaming.Server;

/// <summary>What a one-time URL stands for.</summary>
internal abstract record SessionRequest;

/// <summary>A command in a container.</summary>
internal sealed record ExecSession(string ContainerId, IReadOnlyList<string> Command, bool Tty, bool Stdin, bool Stdout, bool Stderr) : SessionRequest;

/// <summary>A container's main process.</summary>
internal sealed record AttachSession(string ContainerId, bool Tty, bool Stdin, bool Stdout, bool Stderr) : SessionRequest;

/// <summary>Ports of a sandbox; the list serves clients of the WebSocket channel protocol only, others name a port for each connection.</summary>
internal sealed record PortForwardSession(string SandboxId, IReadOnlyList<int> Ports) : SessionRequest;
