using System.CommandLine;

namespace Podhost.Commands;

/// <summary><c>podhost completion SHELL</c>: a script that asks the executable itself for completions.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        _podhost_complete() {
          local IFS=$'\n'
          COMPREPLY=($(podhost "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null))
        }
        complete -o default -F _podhost_complete podhost
        """;

    private const string Zsh = """
        #compdef podhost
        _podhost() {
          local completions=("${(@f)$(podhost "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
          compadd -a completions
        }
        compdef _podhost podhost
        """;

    private const string Fish = """
        complete -c podhost -f -a '(podhost "[suggest:"(commandline -C)"]" (commandline) 2>/dev/null)'
        """;

    public static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command("completion", "print the completion script of a shell");
        command.Arguments.Add(shell);
        command.SetAction(parsed =>
        {
            parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(shell) switch
            {
                "bash" => Bash,
                "zsh" => Zsh,
                _ => Fish,
            });
            return 0;
        });
        return command;
    }
}
