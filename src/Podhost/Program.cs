using System.CommandLine;
using Podhost.Commands;
using Podhost.Configuration;

var time = TimeProvider.System;
var root = new RootCommand("Kubernetes Pods on one Linux machine, in one process")
{
    UpCommand.Create(time),
    ServerCommand.Create(time), JoinConfigCommand.Create(time),
    KubeletCommand.Create(time),
    RuntimeCommand.Create(time),
    DownCommand.Create(time),
    StatusCommand.Create(),
    DoctorCommand.Create(),
    ResetCommand.Create(time),
    BackupCommand.Create(), RestoreCommand.Create(),
    CompletionCommand.Create(),
    ImageCommand.Create(time),
    VersionCommand.Create(),
};

try
{
    // SIGTERM and Ctrl-C cancel; the parts get this long to end cleanly.
    var invocation = new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromSeconds(20) };
    return await root.Parse(args).InvokeAsync(invocation);
}
catch (ConfigurationException e)
{
    await Console.Error.WriteLineAsync($"podhost: {e.Message}");
    return 1;
}
catch (OperationCanceledException)
{
    return 0;
}
