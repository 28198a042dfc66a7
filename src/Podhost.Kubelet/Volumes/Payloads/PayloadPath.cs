using System.Text;

namespace Podhost.Kubelet.Volumes.Payloads;

/// <summary>Which relative paths a payload may have. Names starting with <c>..</c> are the atomic writer's own.</summary>
internal static class PayloadPath
{
    private const int MaxPath = 4096;
    private const int MaxName = 255;

    /// <summary>The path without empty and <c>.</c> parts.</summary>
    /// <exception cref="PayloadException">It could leave the volume or collide with the writer's names.</exception>
    public static string Clean(string path)
    {
        var parts = path.Split('/').Where(p => p is not ("" or ".")).ToArray();
        var problem = path switch
        {
            "" => "must not be empty: \"\"",
            ['/', ..] => $"must be relative path: {path}",
            _ when Encoding.UTF8.GetByteCount(path) > MaxPath => $"must be less than or equal to {MaxPath} characters",
            _ when path.Contains('\0', StringComparison.Ordinal) => "must not contain NUL",
            _ when parts.Length == 0 => $"must name a file: {path}",
            _ when parts.Contains("..") => $"must not contain '..': {path}",
            _ when parts[0].StartsWith("..", StringComparison.Ordinal) => $"must not start with '..': {path}",
            _ when parts.Any(p => Encoding.UTF8.GetByteCount(p) > MaxName) => $"filenames must be less than or equal to {MaxName} characters",
            _ => null,
        };
        return problem is null ? string.Join('/', parts) : throw new PayloadException("invalid path: " + problem);
    }
}
