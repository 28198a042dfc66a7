using System.CommandLine;
using Podhost.Backup;

namespace Podhost.Commands;

/// <summary><c>podhost backup FILE</c>: what makes the instance again, in one archive.</summary>
internal static class BackupCommand
{
    public static Command Create()
    {
        var options = new InstanceOptions();
        var file = new Argument<string>("FILE") { Description = "archive to write; must not exist" };
        var command = new Command("backup", "write all objects and the instance's keys to an archive, while it runs or not");
        options.AddAllTo(command);
        command.Arguments.Add(file);
        command.SetAction(parsed =>
        {
            var path = Path.GetFullPath(parsed.GetRequiredValue(file));
            InstanceArchive.Write(options.Read(parsed), path);
            parsed.InvocationConfiguration.Output.WriteLine($"podhost: {path} is written; it holds private keys and Secrets");
            return 0;
        });
        return command;
    }
}
