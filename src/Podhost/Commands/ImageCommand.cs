using System.CommandLine;
using System.Globalization;
using Podhost.Configuration;
using Podhost.Images;
using Spectre.Console;

namespace Podhost.Commands;

/// <summary><c>podhost image pull|load|ls|rm</c>.</summary>
internal static class ImageCommand
{
    public static Command Create(TimeProvider time) => new("image", "pull, load, list and remove images")
    {
        Pull(time),
        Load(time),
        List(time),
        Remove(time),
    };

    private static Command Pull(TimeProvider time)
    {
        var reference = new Argument<string>("image") { Description = "reference, for example docker.io/library/busybox:1.36" };
        return Make("pull", "pull an image from its registry", time, [reference], [], async (parsed, tool, cancellationToken) =>
        {
            var done = await WithBarsAsync((step) => tool.PullAsync(parsed.GetValue(reference)!, step, cancellationToken));
            Print(parsed, done);
        });
    }

    private static Command Load(TimeProvider time)
    {
        var path = new Argument<string>("path") { Description = "docker save archive, OCI archive or OCI layout" };
        var name = new Option<string?>("--name") { Description = "name of an image that carries none" };
        return Make("load", "load images from an archive", time, [path], [name], async (parsed, tool, cancellationToken) =>
        {
            var done = await WithBarsAsync((step) => tool.LoadAsync(parsed.GetValue(path)!, parsed.GetValue(name), step, cancellationToken));
            Print(parsed, done);
        });
    }

    private static Command List(TimeProvider time) =>
        Make("ls", "list images", time, [], [], async (parsed, tool, cancellationToken) =>
        {
            var images = await tool.ListAsync(cancellationToken);
            var width = images.SelectMany(i => i.Names).Append("IMAGE").Max(n => n.Length);
            var output = parsed.InvocationConfiguration.Output;
            await output.WriteLineAsync($"{"IMAGE".PadRight(width)}  {"ID",-12}  SIZE");
            foreach (var (image, name) in images.SelectMany(i => i.Names.DefaultIfEmpty("<none>").Select(n => (i, n))).OrderBy(x => x.n, StringComparer.Ordinal))
            {
                await output.WriteLineAsync($"{name.PadRight(width)}  {ShortId(image.Id),-12}  {Megabytes(image.Size)}");
            }
        });

    private static Command Remove(TimeProvider time)
    {
        var reference = new Argument<string>("image") { Description = "name or id" };
        return Make("rm", "remove an image", time, [reference], [], async (parsed, tool, cancellationToken) =>
        {
            await tool.RemoveAsync(parsed.GetValue(reference)!, cancellationToken);
            Print(parsed, [parsed.GetValue(reference)!]);
        });
    }

    private static Command Make(
        string name, string description, TimeProvider time, Argument[] arguments, Option[] extra, Func<ParseResult, IImageTool, CancellationToken, Task> run)
    {
        var options = new InstanceOptions();
        var command = new Command(name, description);
        foreach (var argument in arguments)
        {
            command.Arguments.Add(argument);
        }

        foreach (var option in extra)
        {
            command.Options.Add(option);
        }

        options.AddAllTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            try
            {
                await using var tool = await ImageTools.OpenAsync(options.Read(parsed), time, cancellationToken);
                await run(parsed, tool, cancellationToken);
                return 0;
            }
            catch (Exception e) when (e is ImageToolException or HttpRequestException or InvalidDataException)
            {
                throw new ConfigurationException(e.Message);
            }
        });
        return command;
    }

    // Bars on a terminal, silence elsewhere.
    private static Task<IReadOnlyList<string>> WithBarsAsync(Func<Action<ImageStep>, Task<IReadOnlyList<string>>> work) =>
        Console.IsErrorRedirected || Console.IsOutputRedirected
            ? work(_ => { })
            : AnsiConsole.Progress()
                .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn())
                .StartAsync(async context =>
                {
                    var bars = new Dictionary<string, ProgressTask>();
                    return await work(step =>
                    {
                        if (step.Digest.Length == 0)
                        {
                            return;
                        }

                        lock (bars)
                        {
                            Show(context, bars, step);
                        }
                    });
                });

    private static void Show(ProgressContext context, Dictionary<string, ProgressTask> bars, ImageStep step)
    {
        if (!bars.TryGetValue(step.Digest, out var bar))
        {
            bars[step.Digest] = bar = context.AddTask(ShortId(step.Digest), maxValue: Math.Max(1, step.Total));
        }

        bar.Description = $"{ShortId(step.Digest)} {step.Phase}";
        bar.MaxValue = Math.Max(1, step.Total);
        bar.Value = step.Phase is "downloading" ? step.Current : bar.MaxValue;
    }

    private static void Print(ParseResult parsed, IReadOnlyList<string> lines)
    {
        foreach (var line in lines)
        {
            parsed.InvocationConfiguration.Output.WriteLine(line);
        }
    }

    private static string ShortId(string digest)
    {
        var hex = digest[(digest.IndexOf(':', StringComparison.Ordinal) + 1)..];
        return hex.Length > 12 ? hex[..12] : hex;
    }

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:F1} MB");
}
