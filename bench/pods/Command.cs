using System.Diagnostics;

namespace Podhost.Bench.Pods;

/// <summary>Runs programs.</summary>
internal static class Command
{
    /// <summary>What the program printed; an error with its words where it fails.</summary>
    internal static async Task<string> RunAsync(string program, params IEnumerable<string> arguments)
    {
        using var process = Start(program, arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? await output : throw new BenchException($"{program} {string.Join(' ', arguments)}: {(await errors).Trim()}");
    }

    /// <summary>
    /// Runs a program whose children keep its streams, as those of an OCI runtime do: they would never end, so that nobody reads them.
    /// </summary>
    internal static async Task RunDetachedAsync(string program, params IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "exec \"$0\" \"$@\" </dev/null >/dev/null 2>&1", program, .. arguments]))!;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new BenchException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}");
        }
    }

    /// <summary>Tidying up: a failure is shown and does not hide the result.</summary>
    internal static async Task TryRunAsync(string program, params IEnumerable<string> arguments)
    {
        try
        {
            await RunAsync(program, arguments);
        }
        catch (BenchException failure)
        {
            await Console.Error.WriteLineAsync(failure.Message);
        }
    }

    private static Process Start(string program, IEnumerable<string> arguments) => Process.Start(new ProcessStartInfo(program, arguments)
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;
}

/// <summary>The measurement cannot go on.</summary>
internal sealed class BenchException(string message) : Exception(message);
