using System.CommandLine;
using Podhost.Backup;
using Podhost.Hosting;

namespace Podhost.Commands;

/// <summary><c>podhost restore FILE</c>: makes the objects of an archive those of the instance, which is stopped and has none.</summary>
internal static class RestoreCommand
{
    public static Command Create()
    {
        var options = new InstanceOptions();
        var file = new Argument<string>("FILE") { Description = "archive of podhost backup" };
        var command = new Command("restore", "take all objects and keys from an archive of podhost backup; the instance must be stopped and have no store");
        options.AddAllTo(command);
        command.Arguments.Add(file);
        command.SetAction(parsed =>
        {
            var instance = options.Read(parsed);
            using var held = InstanceLock.Take(instance);
            InstanceArchive.Read(instance, Path.GetFullPath(parsed.GetRequiredValue(file)));
            parsed.InvocationConfiguration.Output.WriteLine($"podhost: {instance.DataDir} is restored; the next start serves it");
            return 0;
        });
        return command;
    }
}
