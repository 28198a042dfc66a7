using System.Text;
using Podhost.Linux.Native;
using Podhost.Linux.Polling;

namespace Podhost.Linux.Processes;

/// <summary>What a short program printed and how it ended.</summary>
/// <param name="ExitCode">The exit code; 128 + the signal when killed.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
public sealed record ProgramResult(int ExitCode, string Output, string Error);

/// <summary>Runs short programs to their end.</summary>
public static class ProgramRunner
{
    private const int DefaultMaxOutput = 1 << 20;
    private const int Kill = 9;

    /// <summary>Runs a program; kills it when cancelled.</summary>
    /// <param name="request">The program; its descriptors 0, 1 and 2 are set here.</param>
    /// <param name="input">Its standard input, or null for none.</param>
    /// <param name="cancellationToken">Kills it.</param>
    /// <param name="maxOutput">How many bytes of each stream are kept; the rest is read and dropped.</param>
    public static async Task<ProgramResult> RunAsync(SpawnRequest request, string? input, CancellationToken cancellationToken, int maxOutput = DefaultMaxOutput)
    {
        ArgumentNullException.ThrowIfNull(request);
        var (stdinRead, stdinWrite) = Descriptors.Pipe();
        var (stdoutRead, stdoutWrite) = Descriptors.Pipe();
        var (stderrRead, stderrWrite) = Descriptors.Pipe();
        using var output = new DescriptorStream(stdoutRead, canRead: true, canWrite: false);
        using var error = new DescriptorStream(stderrRead, canRead: true, canWrite: false);
        ChildProcess child;
        using (stdinRead)
        using (stdoutWrite)
        using (stderrWrite)
        {
            child = ProcessSpawner.Spawn(request with
            {
                Descriptors = [.. request.Descriptors, new(stdinRead, 0), new(stdoutWrite, 1), new(stderrWrite, 2)],
            });
        }

        await using var cancellation = cancellationToken.Register(() => child.Signal(Kill));
        var feeding = FeedAsync(new DescriptorStream(stdinWrite, canRead: false, canWrite: true), input, cancellationToken);
        var reading = Task.WhenAll(ReadAsync(output, maxOutput, cancellationToken), ReadAsync(error, maxOutput, cancellationToken));
        var code = await child.Exit;
        cancellationToken.ThrowIfCancellationRequested();
        await feeding;
        var texts = await reading;
        return new ProgramResult(code, texts[0], texts[1]);
    }

    private static async Task FeedAsync(DescriptorStream stream, string? input, CancellationToken cancellationToken)
    {
        await using (stream)
        {
            if (input is not null)
            {
                try
                {
                    await stream.WriteAsync(Encoding.UTF8.GetBytes(input), cancellationToken);
                }
                catch (LinuxException failure) when (failure.Errno == Errno.EPIPE)
                {
                    // It ended without reading all; its exit code tells why.
                }
            }
        }
    }

    private static async Task<string> ReadAsync(DescriptorStream stream, int maxOutput, CancellationToken cancellationToken)
    {
        var all = new MemoryStream();
        var buffer = new byte[4096];
        int count;
        while ((count = await stream.ReadAsync(buffer, cancellationToken)) > 0)
        {
            var kept = (int)Math.Min(count, maxOutput - all.Length);
            await all.WriteAsync(buffer.AsMemory(0, kept), cancellationToken);
        }

        return Encoding.UTF8.GetString(all.GetBuffer(), 0, (int)all.Length);
    }
}
