using Podhost.Cel.Functions;
using Podhost.Cel.Syntax;
using Podhost.Cel.Values;

namespace Podhost.Cel.Checking;

/// <summary>Finds constants that can only fail: durations, timestamps and regular expressions.</summary>
internal static class LiteralValidator
{
    public static void Validate(Expr expr, List<Issue> issues)
    {
        if (expr is Call call && call.Args is [Literal { Value: string text } arg] && IsInvalid(call, text))
        {
            issues.Add(new Issue(arg.Offset, $"invalid {call.Function} argument"));
        }

        foreach (var child in Children.Of(expr))
        {
            Validate(child, issues);
        }
    }

    private static bool IsInvalid(Call call, string text) => (call.Function, call.IsMember) switch
    {
        ("duration", false) => CelDuration.TryParse(text) is null,
        ("timestamp", false) => CelTimestamp.TryParse(text) is null,
        ("matches", true) => Patterns.Compile(text) is CelError,
        _ => false,
    };
}
