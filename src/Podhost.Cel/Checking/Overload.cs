using Podhost.Cel.Types;

namespace Podhost.Cel.Checking;

/// <summary>What a function does: its arguments (the receiver first) to a value, which may be a <see cref="Values.CelError"/>.</summary>
internal delegate object Implementation(object[] args);

/// <summary>One signature of a function.</summary>
/// <param name="Id">cel-go's name of the overload; costs depend on it.</param>
/// <param name="IsMember">True where the first argument is a receiver.</param>
/// <param name="Args">Types of the arguments, the receiver first.</param>
/// <param name="Result">Type of the result.</param>
/// <param name="Do">What it does; null where the evaluator does it.</param>
internal sealed record Overload(string Id, bool IsMember, IReadOnlyList<CelType> Args, CelType Result, Implementation? Do)
{
    /// <summary>True where the signature has type variables.</summary>
    public bool IsGeneric { get; } = Args.Append(Result).Any(HasParam);

    private static bool HasParam(CelType type) => type.Kind == CelKind.Param || type.Parameters.Any(HasParam);
}
