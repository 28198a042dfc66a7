using System.CommandLine;
using Podhost.Doctor;
using Podhost.Hosting;
using Spectre.Console;

namespace Podhost.Commands;

/// <summary><c>podhost doctor</c>: looks at the machine and says what each finding means.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var options = new InstanceOptions();
        var command = new Command("doctor", "check the machine and say what each finding means");
        options.AddAllTo(command);
        command.SetAction(parsed =>
        {
            var instance = options.Read(parsed);
            var findings = MachineChecks.All(new LocalMachine(), instance, InstanceLock.IsHeld(instance));
            Print(findings);
            return findings.Any(f => f.Level == FindingLevel.Error) ? 1 : 0;
        });
        return command;
    }

    private static void Print(IReadOnlyList<Finding> findings)
    {
        foreach (var finding in findings)
        {
            var mark = finding.Level switch
            {
                FindingLevel.Ok => "[green]ok  [/]",
                FindingLevel.Warning => "[yellow]warn[/]",
                _ => "[red]bad [/]",
            };
            AnsiConsole.MarkupLine(mark + Markup.Escape($" {finding.Check,-14} {finding.Text}"));
            if (finding.Advice.Length > 0)
            {
                AnsiConsole.MarkupLineInterpolated($"{"",-19} [dim]{finding.Advice}[/]");
            }
        }
    }
}
