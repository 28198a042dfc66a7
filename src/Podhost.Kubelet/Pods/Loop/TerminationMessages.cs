using System.Text;
using Podhost.Cri.V1;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Status;

namespace Podhost.Kubelet.Pods.Loop;

/// <summary>What an ended container left to say: its termination-message file, or the end of its log where the policy asks for it.</summary>
internal sealed class TerminationMessages
{
    /// <summary>Most bytes of a message (upstream's MaxContainerTerminationMessageLength).</summary>
    public const int MaxBytes = 4096;

    /// <summary>Most bytes taken from a log.</summary>
    public const int MaxLogBytes = 2048;

    /// <summary>Most lines taken from a log.</summary>
    public const int MaxLogLines = 80;

    /// <summary>The message of an ended container; the runtime's own message where it left none.</summary>
    public string Of(ContainerStatus status)
    {
        var path = status.Annotations.TryGetValue(CriLabels.TerminationMessagePath, out var p) ? p : "";
        var policy = status.Annotations.TryGetValue(CriLabels.TerminationMessagePolicy, out var q) ? q : "";
        var message = "";
        if (path.Length > 0 && status.Mounts.FirstOrDefault(m => m.ContainerPath == path) is { } mount)
        {
            message = ReadFile(mount.HostPath);
        }

        if (message.Length == 0 && policy == "FallbackToLogsOnError" && status.ExitCode != 0)
        {
            message = LogTail.Read(status.LogPath, MaxLogLines, MaxLogBytes);
        }

        return message.Length > 0 ? message : status.Message;
    }

    /// <summary>The first bytes of the file. It is the container's to write: never follow a link, never wait for a pipe.</summary>
    private static string ReadFile(string path)
    {
        try
        {
            var info = new FileInfo(path);
            if (!info.Exists || info.LinkTarget is not null || (info.Attributes & (FileAttributes.Device | FileAttributes.Directory)) != 0)
            {
                return "";
            }

            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var buffer = new byte[MaxBytes];
            var read = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            return Encoding.UTF8.GetString(buffer, 0, read);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"Error on reading termination log {path}: {e.Message}";
        }
    }
}
