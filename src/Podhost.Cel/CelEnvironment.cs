using Podhost.Cel.Checking;
using Podhost.Cel.Functions;
using Podhost.Cel.Syntax;
using Podhost.Cel.Types;

namespace Podhost.Cel;

/// <summary>
/// The Common Expression Language as Kubernetes 1.36's API server offers it: the standard functions, the libraries of the API server, and the
/// variables that are declared here.
/// </summary>
public sealed class CelEnvironment
{
    private readonly Declarations _declarations;

    /// <summary>An environment with these variables, and with object types, by their names, that expressions may make by literals.</summary>
    public CelEnvironment(IReadOnlyDictionary<string, CelType> variables, Func<string, CelType?>? structs = null) =>
        _declarations = new Declarations(variables, structs ?? (_ => null), Library.Functions);

    /// <summary>Cost that one evaluation may have.</summary>
    public const long PerCallLimit = 1_000_000;

    /// <summary>Cost that all evaluations for one object may have.</summary>
    public const long RuntimeBudget = 10_000_000;

    /// <summary>Parses and checks an expression. Never throws.</summary>
    public CelCompilation Compile(string expression)
    {
        var issues = new List<Issue>();
        var expr = Parser.Parse(expression, issues);
        if (expr is not null)
        {
            Checker.Check(expr, _declarations, issues);
        }

        return issues.Count > 0
            ? new CelCompilation(null, Issues.Print(expression, issues))
            : new CelCompilation(new CelProgram(expression, expr!), null);
    }
}

/// <summary>A program, or what is wrong with an expression: one of both.</summary>
/// <param name="Program">The program; null where the expression has faults.</param>
/// <param name="Error">All faults as cel-go prints them, with lines and columns; null where there is a program.</param>
public sealed record CelCompilation(CelProgram? Program, string? Error);
