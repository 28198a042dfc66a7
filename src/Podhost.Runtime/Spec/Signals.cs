using System.Globalization;
using Podhost.Cri.V1;

namespace Podhost.Runtime.Spec;

/// <summary>Signal names and numbers. Pure.</summary>
internal static class Signals
{
    internal const int Kill = 9;
    internal const int Terminate = 15;
    private const int RealTimeMin = 34;
    private const int RealTimeMax = 64;

    private static readonly Dictionary<string, int> Numbers = new(StringComparer.Ordinal)
    {
        ["HUP"] = 1, ["INT"] = 2, ["QUIT"] = 3, ["ILL"] = 4, ["TRAP"] = 5, ["ABRT"] = 6, ["IOT"] = 6, ["BUS"] = 7, ["FPE"] = 8, ["KILL"] = 9,
        ["USR1"] = 10, ["SEGV"] = 11, ["USR2"] = 12, ["PIPE"] = 13, ["ALRM"] = 14, ["TERM"] = 15, ["STKFLT"] = 16, ["CHLD"] = 17, ["CLD"] = 17,
        ["CONT"] = 18, ["STOP"] = 19, ["TSTP"] = 20, ["TTIN"] = 21, ["TTOU"] = 22, ["URG"] = 23, ["XCPU"] = 24, ["XFSZ"] = 25, ["VTALRM"] = 26,
        ["PROF"] = 27, ["WINCH"] = 28, ["IO"] = 29, ["POLL"] = 29, ["PWR"] = 30, ["SYS"] = 31,
    };

    /// <summary>The stop signal: the request's, else the image's, else SIGTERM. A name that means nothing counts as absent.</summary>
    internal static int StopSignal(Signal requested, string imageSignal) =>
        (requested == Signal.RuntimeDefault ? null : Parse(requested.ToString())) ?? Parse(imageSignal) ?? Terminate;

    /// <summary>SIGTERM, TERM, 15, SIGRTMIN+3, Sigrtminplus3 (the enumeration's own spelling): the number; null when it is none.</summary>
    internal static int? Parse(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return number is > 0 and <= RealTimeMax ? number : null;
        }

        var name = text.ToUpperInvariant();
        name = name.StartsWith("SIG", StringComparison.Ordinal) ? name[3..] : name;
        return Numbers.TryGetValue(name, out var known) ? known : RealTime(name.Replace("PLUS", "+", StringComparison.Ordinal).Replace("MINUS", "-", StringComparison.Ordinal));
    }

    private static int? RealTime(string name)
    {
        var (start, rest) = name switch
        {
            _ when name.StartsWith("RTMIN", StringComparison.Ordinal) => (RealTimeMin, name[5..]),
            _ when name.StartsWith("RTMAX", StringComparison.Ordinal) => (RealTimeMax, name[5..]),
            _ => (0, name),
        };
        var offset = 0;
        var valid = start != 0 && (rest.Length == 0 || int.TryParse(rest, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out offset));
        return valid && start + offset is >= RealTimeMin and <= RealTimeMax ? start + offset : null;
    }
}
