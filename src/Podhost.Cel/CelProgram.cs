using Podhost.Cel.Costs;
using Podhost.Cel.Evaluation;
using Podhost.Cel.Schemas;
using Podhost.Cel.Syntax;
using Podhost.Cel.Types;

namespace Podhost.Cel;

/// <summary>A checked expression. It may be evaluated by many threads at once.</summary>
public sealed class CelProgram
{
    private readonly Expr _expr;

    internal CelProgram(string text, Expr expr) => (Text, _expr) = (text, expr);

    /// <summary>The expression.</summary>
    public string Text { get; }

    /// <summary>Type of the result.</summary>
    public CelType ResultType => _expr.Type;

    /// <summary>True where the expression names the variable.</summary>
    public bool Uses(string variable) => Uses(_expr, variable);

    /// <summary>Evaluates the expression. Faults are in the outcome.</summary>
    /// <param name="variables">Values of variables, made by <see cref="CelValues"/>; null for names without a value.</param>
    /// <param name="costLimit">The most that the evaluation may cost.</param>
    public CelOutcome Evaluate(Func<string, object?> variables, long costLimit = CelEnvironment.PerCallLimit)
    {
        var meter = new CostMeter(costLimit);
        try
        {
            return CelOutcome.Of(new Evaluator(variables, meter).Evaluate(_expr, null), meter.Cost);
        }
        catch (CostLimitException e)
        {
            return CelOutcome.TooCostly(e.Message, meter.Cost);
        }
    }

    /// <summary>The most that an evaluation may cost, by the sizes that the declared types of variables allow.</summary>
    public ulong EstimateCost(IReadOnlyDictionary<string, DeclaredType> variables) => Estimator.Cost(_expr, variables).Max;

    private static bool Uses(Expr expr, string variable) => expr is Ident ident && ident.Name == variable
        || Children.Of(expr).Any(c => Uses(c, variable));
}
