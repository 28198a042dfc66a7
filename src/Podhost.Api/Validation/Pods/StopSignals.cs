namespace Podhost.Api.Validation.Pods;

/// <summary>Signals that lifecycle.stopSignal may name.</summary>
internal static class StopSignals
{
    private static readonly string[] Standard =
    [
        "SIGABRT", "SIGALRM", "SIGBUS", "SIGCHLD", "SIGCLD", "SIGCONT", "SIGFPE", "SIGHUP", "SIGILL", "SIGINT", "SIGIO", "SIGIOT", "SIGKILL",
        "SIGPIPE", "SIGPOLL", "SIGPROF", "SIGPWR", "SIGQUIT", "SIGSEGV", "SIGSTKFLT", "SIGSTOP", "SIGSYS", "SIGTERM", "SIGTRAP", "SIGTSTP",
        "SIGTTIN", "SIGTTOU", "SIGURG", "SIGUSR1", "SIGUSR2", "SIGVTALRM", "SIGWINCH", "SIGXCPU", "SIGXFSZ", "SIGRTMIN", "SIGRTMAX",
    ];

    /// <summary>All of Linux, real-time ones included, sorted.</summary>
    public static readonly string[] Linux =
    [
        .. Standard
            .Concat(Enumerable.Range(1, 15).Select(n => $"SIGRTMIN+{n}"))
            .Concat(Enumerable.Range(1, 14).Select(n => $"SIGRTMAX-{n}"))
            .Order(StringComparer.Ordinal),
    ];
}
