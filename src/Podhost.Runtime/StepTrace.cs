using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Podhost.Runtime;

/// <summary>Where the time of an operation goes, at Debug level.</summary>
internal sealed partial class StepTrace(ILogger logger, string id)
{
    private long _last = Stopwatch.GetTimestamp();

    internal void Step(string name)
    {
        if (logger.IsEnabled(LogLevel.Debug))
        {
            LogStep(id[..Math.Min(12, id.Length)], name, Stopwatch.GetElapsedTime(_last).TotalMilliseconds);
            _last = Stopwatch.GetTimestamp();
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Id}: {Step} took {Milliseconds} ms")]
    private partial void LogStep(string id, string step, double milliseconds);
}
