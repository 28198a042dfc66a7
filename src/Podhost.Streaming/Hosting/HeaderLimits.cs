using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Podhost.Streaming.Hosting;

/// <summary>How long the first line and the headers of a request may be: as long as Go's servers take them, 1 MiB.</summary>
/// <remarks>The words of an exec are in its URL: Kestrel's own 8 KiB are too few for a script.</remarks>
public static class HeaderLimits
{
    private const int Bytes = 1024 * 1024;

    /// <summary>Sets the limits of a server.</summary>
    public static void Apply(KestrelServerLimits limits)
    {
        limits.MaxRequestBufferSize = 2 * Bytes;
        limits.MaxRequestLineSize = Bytes;
        limits.MaxRequestHeadersTotalSize = Bytes;
        limits.Http2.MaxRequestHeaderFieldSize = Bytes;
    }
}
