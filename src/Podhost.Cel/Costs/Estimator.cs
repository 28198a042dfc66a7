using Podhost.Cel.Schemas;
using Podhost.Cel.Syntax;
using Podhost.Cel.Types;

namespace Podhost.Cel.Costs;

/// <summary>What is known of a node while costs are estimated: where its value comes from, and its size.</summary>
internal readonly record struct Estimated(IReadOnlyList<string> Path, CelType Type, Expr? Expr, Range? Size);

/// <summary>
/// Estimates the least and the most that an expression may cost, by the sizes that schemas declare. Its rules are cel-go's, so that what
/// upstream refuses as too costly is refused here.
/// </summary>
internal sealed class Estimator
{
    private static readonly Range One = Range.Fixed(1);

    private readonly IReadOnlyDictionary<string, DeclaredType> _roots;
    private readonly CallEstimates _calls;
    private readonly Dictionary<Expr, Range> _sizes = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Expr, EntrySize> _entries = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Expr, IReadOnlyList<string>> _paths = new(ReferenceEqualityComparer.Instance);
    private readonly Stack<Local> _locals = new();

    private Estimator(IReadOnlyDictionary<string, DeclaredType> roots)
    {
        _roots = roots;
        _calls = new CallEstimates(SizeByPath);
    }

    /// <summary>The cost of a checked tree; sizes of variables are those of <paramref name="roots"/>.</summary>
    public static Range Cost(Expr expr, IReadOnlyDictionary<string, DeclaredType> roots) => new Estimator(roots).Cost(expr);

    private Range Cost(Expr expr) => expr switch
    {
        Ident i => Name(i),
        Select s => Select(s),
        Call { Function: "dyn", Args.Count: 1 } c => Dyn(c),
        Call c => Call(c),
        ListExpr l => List(l),
        MapExpr m => Map(m),
        StructExpr s => Total(s.Fields.Select(f => f.Value)).Add(Range.Fixed(RuntimeCosts.NewStruct)),
        Comprehension { IsBind: true } c => Bind(c),
        Comprehension c => Loop(c),
        _ => default,
    };

    private Range Total(IEnumerable<Expr> exprs) => exprs.Aggregate(default(Range), (sum, e) => sum.Add(Cost(e)));

    private Range Name(Ident ident)
    {
        _paths[ident] = Local_(ident.Name)?.Path ?? [ident.Name];
        return One;
    }

    private Range Select(Select select)
    {
        if (select.Qualified is not null)
        {
            return One;
        }

        var cost = Cost(select.Operand);
        if (select.TestOnly)
        {
            return cost;
        }

        _paths[select] = [.. PathOf(select.Operand), select.Field];
        return select.Operand.Type.Kind is CelKind.Map or CelKind.Object or CelKind.Param ? cost.Add(One) : cost;
    }

    private Range Dyn(Call call)
    {
        var cost = Cost(call.Args[0]).Add(One);
        CopySizes(call, call.Args[0]);
        return cost;
    }

    private Range Call(Call call)
    {
        List<Range> costs = [.. call.Args.Select(Cost)];
        if (call.Overloads.Count == 0)
        {
            return default;
        }

        var args = call.Args.Select(Node).ToList();
        var target = call.IsMember ? Cost(call.Target!) : default;
        Estimated? receiver = call.IsMember ? Node(call.Target!) : null;
        Range? total = null, size = null;
        foreach (var overload in call.Overloads)
        {
            var (cost, result) = OfOverload(call, overload.Id, receiver, args, costs);
            total = total is { } t ? t.Union(cost) : cost;
            size = result is { } r ? (size is { } s ? s.Union(r) : r) : size;
            size = Element(call, overload.Id, size) ?? size ?? SizeOf(call);
        }

        if (size is { } found)
        {
            _sizes[call] = found;
        }

        return target.Add(total!.Value);
    }

    private Range? Element(Call call, string overload, Range? known)
    {
        if (overload is not ("index_list" or "index_map"))
        {
            return null;
        }

        _paths[call] = [.. PathOf(call.Args[0]), overload == "index_list" ? "@items" : "@values"];
        return Entry(call.Args[0])?.Value ?? known;
    }

    private (Range Cost, Range? Size) OfOverload(Call call, string overload, Estimated? target, List<Estimated> args, List<Range> costs)
    {
        switch (overload)
        {
            case "logical_and" or "logical_or":
                return (new Range(costs[0].Min, costs[0].Add(costs[1]).Max), null);
            case "conditional":
                SetEntry(call, Entry(call.Args[1]) is { } a && Entry(call.Args[2]) is { } b ? a.Union(b) : null);
                return (costs[0].Add(costs[1].Union(costs[2])), Known(args[1]).Union(Known(args[2])));
            case "add_string" or "add_bytes" or "add_list":
                SetEntry(call, Entry(call.Args[0]) is { } l && Entry(call.Args[1]) is { } r ? l.Union(r) : null);
                break;
        }

        var (cost, size) = _calls.Of(call.Name, overload, target, args);
        return (costs.Aggregate(cost, (sum, c) => sum.Add(c)), size);
    }

    private Range List(ListExpr list)
    {
        var cost = Total(list.Elements).Add(Range.Fixed(RuntimeCosts.NewList));
        SetEntry(list, new EntrySize(true, One, list.Elements.Select(e => SizeOf(e) ?? Range.Unknown).DefaultIfEmpty().Aggregate((a, b) => a.Union(b))));
        return cost;
    }

    private Range Map(MapExpr map)
    {
        var cost = Total(map.Entries.SelectMany(e => new[] { e.Key, e.Value })).Add(Range.Fixed(RuntimeCosts.NewMap));
        Range Sizes(Func<MapEntry, Expr> part) => map.Entries.Select(e => SizeOf(part(e)) ?? Range.Unknown).DefaultIfEmpty().Aggregate((a, b) => a.Union(b));
        SetEntry(map, new EntrySize(false, Sizes(e => e.Key), Sizes(e => e.Value)));
        return cost;
    }

    private Range Bind(Comprehension expr)
    {
        var loop = expr.Loop;
        var cost = Cost(loop.Range).Add(Cost(loop.Init));
        _locals.Push(new Local(loop.Accumulator, PathOf(loop.Init), SizeOf(loop.Init), Entry(loop.Init)));
        cost = cost.Add(Cost(loop.Result));
        CopySizes(expr, loop.Result);
        _locals.Pop();
        return cost;
    }

    private Range Loop(Comprehension expr)
    {
        var loop = expr.Loop;
        var cost = Cost(loop.Range).Add(Cost(loop.Init));
        _locals.Push(new Local(loop.Accumulator, PathOf(loop.Init), SizeOf(loop.Init), Entry(loop.Init)));
        var variables = PushVariables(loop);
        var round = Cost(loop.Condition).Add(Cost(loop.Step));
        for (; variables > 0; variables--)
        {
            _locals.Pop();
        }

        cost = cost.Add(Cost(loop.Result));
        _locals.Pop();
        var count = SizeOf(loop.Range) ?? Range.Unknown;
        if (loop.Init is Literal)
        {
            _sizes[expr] = SizeOf(loop.Init) ?? One;
        }
        else
        {
            _sizes[expr] = count;
            SetEntry(expr, Entry(loop.Step));
        }

        return cost.Add(count.Multiply(round));
    }

    private int PushVariables(Loop loop)
    {
        var entry = Entry(loop.Range);
        var isList = entry?.IsList ?? loop.Range.Type.Kind == CelKind.List;
        var path = PathOf(loop.Range);
        var value = new Local(loop.Variable2 ?? loop.Variable, [.. path, isList ? "@items" : "@values"], entry?.Value, null);
        var key = new Local(loop.Variable, [.. path, isList ? "@indices" : "@keys"], entry?.Key, null);
        if (loop.Variable2 is null)
        {
            _locals.Push(isList ? value : key);
            return 1;
        }

        _locals.Push(key);
        _locals.Push(value);
        return 2;
    }

    private Estimated Node(Expr expr) => new(PathOf(expr) is [Macros.Accumulator, ..] ? [] : PathOf(expr), expr.Type, expr, SizeOf(expr));

    private static Range Known(Estimated node) => node.Size ?? Range.Unknown;

    private IReadOnlyList<string> PathOf(Expr expr) =>
        expr is Ident i && Local_(i.Name) is { } local ? local.Path : _paths.GetValueOrDefault(expr) ?? [];

    private Local? Local_(string name)
    {
        foreach (var local in _locals)
        {
            if (local.Name == name)
            {
                return local;
            }
        }

        return null;
    }

    private Range? SizeOf(Expr expr)
    {
        if (_sizes.TryGetValue(expr, out var known))
        {
            return known;
        }

        return OfLiteral(expr) ?? SizeByPath(PathOf(expr)) ?? OfType(expr.Type) ?? (expr is Ident i ? Local_(i.Name)?.Size : null);
    }

    private static Range? OfLiteral(Expr expr) => expr switch
    {
        Literal l => Range.Fixed((ulong)(Values.Values.Size(l.Value) ?? 1)),
        ListExpr l => Range.Fixed((ulong)l.Elements.Count),
        MapExpr m => Range.Fixed((ulong)m.Entries.Count),
        _ => null,
    };

    private static Range? OfType(CelType type) => type.Kind switch
    {
        CelKind.Bool or CelKind.Double or CelKind.Duration or CelKind.Int or CelKind.Timestamp or CelKind.Uint => One,
        CelKind.Opaque when type.IsOptional => OfType(type.Parameters[0]),
        _ => null,
    };

    private Range? SizeByPath(IReadOnlyList<string> path)
    {
        if (path.Count == 0 || !_roots.TryGetValue(path[0], out var type))
        {
            return null;
        }

        foreach (var step in path.Skip(1))
        {
            type = step switch
            {
                "@items" or "@values" => type?.Element,
                "@keys" => type?.Key,
                _ => type?.Field(step),
            };
        }

        return type is null ? null : new Range(0, (ulong)type.MaxElements);
    }

    private EntrySize? Entry(Expr expr) => _entries.TryGetValue(expr, out var known) ? known : expr is Ident i ? Local_(i.Name)?.Entry : null;

    private void SetEntry(Expr expr, EntrySize? entry)
    {
        if (entry is not null)
        {
            _entries[expr] = entry;
        }
    }

    private void CopySizes(Expr to, Expr from)
    {
        if (SizeOf(from) is { } size)
        {
            _sizes[to] = size;
        }

        SetEntry(to, Entry(from));
    }

    private sealed record Local(string Name, IReadOnlyList<string> Path, Range? Size, EntrySize? Entry);

    /// <summary>Sizes of the keys and values of a container.</summary>
    private sealed record EntrySize(bool IsList, Range Key, Range Value)
    {
        public EntrySize Union(EntrySize other) => new(IsList, Key.Union(other.Key), Value.Union(other.Value));
    }
}
