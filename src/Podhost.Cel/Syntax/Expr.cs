using Podhost.Cel.Checking;
using Podhost.Cel.Types;

namespace Podhost.Cel.Syntax;

/// <summary>A node of a parsed expression. The checker writes its findings into the nodes; afterwards they do not change.</summary>
internal abstract class Expr(int offset)
{
    /// <summary>Where errors about the node point: an operator, a bracket, or the first character. UTF-16 units.</summary>
    public int Offset { get; } = offset;

    /// <summary>Levels of nodes, this one included.</summary>
    public int Height { get; protected init; } = 1;

    /// <summary>The type that the checker found.</summary>
    public CelType Type { get; set; } = CelType.Dyn;

    protected static int Above(params ReadOnlySpan<Expr?> children)
    {
        var height = 0;
        foreach (var child in children)
        {
            height = Math.Max(height, child?.Height ?? 0);
        }

        return height + 1;
    }
}

/// <summary>A constant: a runtime value.</summary>
internal sealed class Literal(int offset, object value) : Expr(offset)
{
    public object Value { get; } = value;
}

/// <summary>A name.</summary>
internal sealed class Ident(int offset, string name) : Expr(offset)
{
    public string Name { get; } = name;
}

/// <summary>A field of an operand, or the test whether it is there.</summary>
internal sealed class Select : Expr
{
    public Select(int offset, Expr operand, string field, bool testOnly = false)
        : base(offset) => (Operand, Field, TestOnly, Height) = (operand, field, testOnly, Above(operand));

    public Expr Operand { get; }

    public string Field { get; }

    public bool TestOnly { get; }

    /// <summary>Set by the checker where the whole path is the name of a declaration (for example a type), else null.</summary>
    public string? Qualified { get; set; }
}

/// <summary>A call of a function or method; operators are functions such as <c>_+_</c>.</summary>
internal sealed class Call : Expr
{
    public Call(int offset, string function, Expr? target, IReadOnlyList<Expr> args)
        : base(offset) => (Function, Target, Args, Height) = (function, target, args, Above([target, .. args]));

    public string Function { get; }

    public Expr? Target { get; }

    public IReadOnlyList<Expr> Args { get; }

    /// <summary>Set by the checker where the target is only the first part of a function's name, such as <c>optional.of</c>.</summary>
    public string? Qualified { get; set; }

    /// <summary>Overloads that fit the types of the arguments, set by the checker.</summary>
    public IReadOnlyList<Overload> Overloads { get; set; } = [];

    /// <summary>True where the call has a receiver.</summary>
    public bool IsMember => Target is not null && Qualified is null;

    /// <summary>Name of the function, with its namespace.</summary>
    public string Name => Qualified ?? Function;
}

/// <summary>A list literal; elements that are optional are left out where they have no value.</summary>
internal sealed class ListExpr : Expr
{
    public ListExpr(int offset, IReadOnlyList<Expr> elements, IReadOnlySet<int> optional)
        : base(offset) => (Elements, Optional, Height) = (elements, optional, Above([.. elements]));

    public IReadOnlyList<Expr> Elements { get; }

    public IReadOnlySet<int> Optional { get; }
}

/// <summary>An entry of a map literal.</summary>
internal sealed record MapEntry(Expr Key, Expr Value, bool Optional);

/// <summary>A map literal.</summary>
internal sealed class MapExpr : Expr
{
    public MapExpr(int offset, IReadOnlyList<MapEntry> entries)
        : base(offset) => (Entries, Height) = (entries, Above([.. entries.SelectMany(e => new[] { e.Key, e.Value })]));

    public IReadOnlyList<MapEntry> Entries { get; }
}

/// <summary>A field of an object literal.</summary>
internal sealed record FieldEntry(int Offset, string Name, Expr Value, bool Optional);

/// <summary>An object literal: <c>Type{field: value}</c>.</summary>
internal sealed class StructExpr : Expr
{
    public StructExpr(int offset, string typeName, IReadOnlyList<FieldEntry> fields)
        : base(offset) => (TypeName, Fields, Height) = (typeName, fields, Above([.. fields.Select(f => f.Value)]));

    public string TypeName { get; }

    public IReadOnlyList<FieldEntry> Fields { get; }
}

/// <summary>A loop, made by a macro.</summary>
internal sealed class Comprehension : Expr
{
    public Comprehension(int offset, Loop loop)
        : base(offset) => (Loop, Height) = (loop, Above(loop.Range, loop.Init, loop.Condition, loop.Step, loop.Result));

    public Loop Loop { get; }

    /// <summary>True where it only names a value: an empty range whose accumulator is the name.</summary>
    public bool IsBind => Loop.Range is ListExpr { Elements.Count: 0 } && Loop.Condition is Literal { Value: false } && Loop.Accumulator != Macros.Accumulator;
}

/// <summary>The parts of a loop. With a second variable the first is the index or key, and the second the value.</summary>
internal sealed record Loop(string Variable, string? Variable2, Expr Range, string Accumulator, Expr Init, Expr Condition, Expr Step, Expr Result);
