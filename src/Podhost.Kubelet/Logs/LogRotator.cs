using System.IO.Compression;
using Podhost.Cri.Services;
using Podhost.Cri.V1;

namespace Podhost.Kubelet.Logs;

/// <summary>The effect on the log of one running container. It may be ended anywhere: the next rotation puts right what it left.</summary>
/// <param name="runtime">Opens the log anew.</param>
/// <param name="maxBytes">From which size a log is rotated.</param>
/// <param name="maxFiles">How many files a container may have.</param>
/// <param name="time">Clock of the names.</param>
internal sealed class LogRotator(IRuntimeService runtime, long maxBytes, int maxFiles, TimeProvider time)
{
    /// <summary>Rotates the log where it is too large.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    /// <exception cref="Grpc.Core.RpcException">The runtime refuses; the log has its name back then.</exception>
    public async Task RotateAsync(string containerId, string log, CancellationToken cancellationToken)
    {
        var file = new FileInfo(log);
        if (!file.Exists)
        {
            // An earlier rotation ended between its two steps, or somebody removed the file: the container writes where nobody reads.
            await ReopenAsync(containerId, cancellationToken).ConfigureAwait(false);
            return;
        }

        var target = LogRotationRules.Rotated(log, time.GetUtcNow());
        if (file.Length < maxBytes || File.Exists(target))
        {
            return;
        }

        // The pattern "0.log.*" would match the current log too.
        var prefix = log + ".";
        var rotated = Directory.GetFiles(file.DirectoryName!).Where(f => f.StartsWith(prefix, StringComparison.Ordinal));
        var plan = LogRotationRules.Plan(rotated, maxFiles);
        foreach (var old in plan.Remove)
        {
            File.Delete(old);
        }

        foreach (var old in plan.Compress)
        {
            await CompressAsync(old, cancellationToken).ConfigureAwait(false);
        }

        await ReplaceAsync(containerId, log, target, cancellationToken).ConfigureAwait(false);
    }

    private async Task ReplaceAsync(string containerId, string log, string target, CancellationToken cancellationToken)
    {
        File.Move(log, target);
        try
        {
            await ReopenAsync(containerId, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception) when (!File.Exists(log))
        {
            // The container goes on writing to the file that it has.
            File.Move(target, log);
            throw;
        }
    }

    private Task ReopenAsync(string containerId, CancellationToken cancellationToken) =>
        runtime.ReopenContainerLogAsync(new ReopenContainerLogRequest { ContainerId = containerId }, cancellationToken);

    // The name appears when the content is whole.
    private static async Task CompressAsync(string rotated, CancellationToken cancellationToken)
    {
        var unfinished = LogRotationRules.UnfinishedName(rotated);
        var source = File.OpenRead(rotated);
        await using (source.ConfigureAwait(false))
        {
            var target = File.Create(unfinished);
            await using (target.ConfigureAwait(false))
            {
                var zip = new GZipStream(target, CompressionLevel.Fastest);
                await using (zip.ConfigureAwait(false))
                {
                    await source.CopyToAsync(zip, cancellationToken).ConfigureAwait(false);
                }
            }
        }

        File.SetUnixFileMode(unfinished, File.GetUnixFileMode(rotated));
        File.Move(unfinished, LogRotationRules.CompressedName(rotated), overwrite: true);
        File.Delete(rotated);
    }
}
