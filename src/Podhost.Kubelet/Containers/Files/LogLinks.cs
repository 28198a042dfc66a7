using k8s.Models;
using Microsoft.Extensions.Logging;

namespace Podhost.Kubelet.Containers.Files;

/// <summary>
/// The directory <c>containers</c> beside the pods' logs, which log collectors read: a link <c>pod_namespace_container-id.log</c> to the log of each
/// container instance, gone with that log. The names and the place (<c>/var/log/containers</c>) are the kubelet's.
/// </summary>
public sealed partial class LogLinks(string logsDirectory, ILogger logger)
{
    private const string Suffix = ".log";
    private const int MostNameBytes = 255;

    private readonly string directory = Path.Combine(Path.GetDirectoryName(logsDirectory.TrimEnd('/')) ?? "/", "containers");

    /// <summary>Name of the link of a container instance; too long a one is cut, as a file name has 255 bytes at most.</summary>
    public static string Name(V1Pod pod, string container, string id)
    {
        var name = $"{pod.Metadata.Name}_{pod.Metadata.NamespaceProperty}_{container}-{id}";
        return name[..Math.Min(name.Length, MostNameBytes - Suffix.Length)] + Suffix;
    }

    /// <summary>Makes the link, where the runtime has made the log. A link that is there stays; a failure is logged, for the container runs.</summary>
    public void Add(V1Pod pod, string container, string id, string log)
    {
        var link = new FileInfo(Path.Combine(directory, Name(pod, container, id)));
        if (!File.Exists(log) || link.LinkTarget is not null)
        {
            return;
        }

        try
        {
            Directory.CreateDirectory(directory);
            File.CreateSymbolicLink(link.FullName, log);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNoLink(link.FullName, log, e.Message);
        }
    }

    /// <summary>Removes the links to a log, or to all logs below a directory.</summary>
    public void Remove(string logOrDirectory)
    {
        if (!Directory.Exists(directory))
        {
            return;
        }

        var below = logOrDirectory + "/";
        foreach (var link in new DirectoryInfo(directory).EnumerateFiles("*" + Suffix))
        {
            if (link.LinkTarget is { } target && (target == logOrDirectory || target.StartsWith(below, StringComparison.Ordinal)))
            {
                link.Delete();
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Could not link {Link} to {Log}: {Error}")]
    private partial void LogNoLink(string link, string log, string error);
}
