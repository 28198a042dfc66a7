namespace Podhost.Cel.Evaluation;

/// <summary>Variables of loops, innermost first.</summary>
internal sealed class Scope(string name, object value, Scope? outer)
{
    /// <summary>The value; an accumulator changes.</summary>
    public object Value { get; set; } = value;

    /// <summary>The value of a name, or null where no loop declares it.</summary>
    public static object? Find(Scope? scope, string name)
    {
        for (; scope is not null; scope = scope.Outer)
        {
            if (scope.Name == name)
            {
                return scope.Value;
            }
        }

        return null;
    }

    private string Name { get; } = name;

    private Scope? Outer { get; } = outer;
}
