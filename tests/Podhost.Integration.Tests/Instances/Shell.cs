using System.ComponentModel;
using System.Diagnostics;

namespace Podhost.Integration.Tests.Instances;

/// <summary>Runs commands, each with a deadline.</summary>
public static class Shell
{
    /// <summary>How long a command may take where the test says nothing else.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    /// <summary>Runs a command to its end.</summary>
    public static async Task<Ran> RunAsync(
        string file, IEnumerable<string> arguments, string? input = null, IReadOnlyDictionary<string, string>? environment = null, TimeSpan? deadline = null)
    {
        using var process = Start(file, arguments, environment);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await WriteAsync(process, input);
        using var stop = new CancellationTokenSource(deadline ?? Deadline);
        try
        {
            await process.WaitForExitAsync(stop.Token);
            return new Ran(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{file} {string.Join(' ', arguments)} did not end\n{await output}\n{await error}");
        }
    }

    /// <summary>Starts a command that the test ends itself.</summary>
    public static Process Start(string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return Process.Start(start) ?? throw new InvalidOperationException(file);
    }

    /// <summary>A page; a server that does not listen yet is asked again for five seconds.</summary>
    public static async Task<string> PageAsync(string url)
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        for (var start = Stopwatch.StartNew(); ;)
        {
            try
            {
                return await http.GetStringAsync(url);
            }
            catch (HttpRequestException) when (start.Elapsed < TimeSpan.FromSeconds(5))
            {
                // Nothing tells when another process begins to listen.
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            }
        }
    }

    /// <summary>Where a command is on PATH; null: nowhere.</summary>
    public static string? Find(string command) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
        .Select(d => Path.Combine(d, command)).FirstOrDefault(File.Exists);

    // A command may end without reading what it is given.
    private static async Task WriteAsync(Process process, string? input)
    {
        try
        {
            if (input is not null)
            {
                await process.StandardInput.WriteAsync(input);
            }

            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The exit code tells.
        }
        catch (Win32Exception)
        {
            // The exit code tells.
        }
    }
}
