using System.CommandLine;
using Podhost.Configuration;
using Podhost.Hosting;

namespace Podhost.Commands;

/// <summary><c>podhost reset</c>: removes the instance with everything that it made, after asking.</summary>
internal static class ResetCommand
{
    public static Command Create(TimeProvider time)
    {
        var options = new InstanceOptions();
        var yes = new Option<bool>("--yes", "-y") { Description = "do not ask" };
        var command = new Command("reset", "remove everything: pods, objects, images, certificates, network, directories");
        options.AddAllTo(command);
        command.Options.Add(yes);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var instance = options.Read(parsed);
            var output = parsed.InvocationConfiguration.Output;
            if (!parsed.GetValue(yes) && !Confirmed(instance, output))
            {
                await output.WriteLineAsync("podhost: nothing was removed");
                return 1;
            }

            await DownCommand.StopAsync(instance, cancellationToken);
            await Teardown.RemoveEverythingAsync(instance, time, cancellationToken);
            await output.WriteLineAsync($"podhost: {instance.DataDir} and {instance.RunDir} are removed");
            return 0;
        });
        return command;
    }

    private static bool Confirmed(PodhostOptions instance, TextWriter output)
    {
        if (Console.IsInputRedirected)
        {
            throw new ConfigurationException("reset asks first and there is no terminal: say --yes");
        }

        output.Write($"Remove all pods, objects and images of {instance.DataDir}? [y/N] ");
        return Console.ReadLine()?.Trim() is "y" or "Y" or "yes";
    }
}
