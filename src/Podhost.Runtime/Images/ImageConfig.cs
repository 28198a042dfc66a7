namespace Podhost.Runtime.Images;

/// <summary>
/// What an image asks of a container: the "config" object of the OCI image configuration
/// (https://github.com/opencontainers/image-spec/blob/main/config.md). Absent members are empty, never null.
/// </summary>
public sealed record ImageConfig
{
    /// <summary>An image that asks for nothing.</summary>
    public static ImageConfig Empty { get; } = new();

    /// <summary>"name=value" entries in the image's order.</summary>
    public IReadOnlyList<string> Env { get; init; } = [];

    /// <summary>The command that Cmd's words are appended to.</summary>
    public IReadOnlyList<string> Entrypoint { get; init; } = [];

    /// <summary>Default arguments of the entrypoint, or the command itself.</summary>
    public IReadOnlyList<string> Cmd { get; init; } = [];

    /// <summary>Absolute path in the image; empty is "/".</summary>
    public string WorkingDir { get; init; } = "";

    /// <summary>"user", "uid", "user:group" or "uid:gid"; empty is root.</summary>
    public string User { get; init; } = "";

    /// <summary>"SIGTERM", "15" or empty.</summary>
    public string StopSignal { get; init; } = "";

    /// <summary>The image's labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Paths that the image declares as volumes.</summary>
    public IReadOnlyList<string> Volumes { get; init; } = [];

    /// <summary>"port/protocol" entries that the image declares.</summary>
    public IReadOnlyList<string> ExposedPorts { get; init; } = [];
}
