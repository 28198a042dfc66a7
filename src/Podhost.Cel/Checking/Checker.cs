using Podhost.Cel.Syntax;
using Podhost.Cel.Types;

namespace Podhost.Cel.Checking;

/// <summary>Finds the type of every node and the overloads of every call; faults are told in cel-go's words.</summary>
internal sealed class Checker
{
    private readonly Declarations _declarations;
    private readonly List<Issue> _issues;
    private readonly Substitution _types = new();
    private readonly Stack<(string Name, CelType Type)> _locals = new();

    private Checker(Declarations declarations, List<Issue> issues) => (_declarations, _issues) = (declarations, issues);

    /// <summary>Checks a tree and writes its findings into it.</summary>
    public static void Check(Expr expr, Declarations declarations, List<Issue> issues)
    {
        var checker = new Checker(declarations, issues);
        checker.Visit(expr);
        checker.Settle(expr);
        if (issues.Count == 0)
        {
            LiteralValidator.Validate(expr, issues);
        }
    }

    private CelType Visit(Expr expr) => expr.Type = expr switch
    {
        Literal l => Values.Values.TypeOf(l.Value),
        Ident i => VisitIdent(i),
        Select s => VisitSelect(s),
        Call c => VisitCall(c),
        ListExpr l => VisitList(l),
        MapExpr m => VisitMap(m),
        StructExpr s => VisitStruct(s),
        Comprehension c => VisitLoop(c),
        _ => throw new InvalidOperationException("unknown node"),
    };

    private CelType VisitIdent(Ident ident) => FindName(ident.Name) ?? Undeclared(ident.Offset, ident.Name);

    private CelType? FindName(string name)
    {
        foreach (var (local, type) in _locals)
        {
            if (local == name)
            {
                return type;
            }
        }

        return _declarations.Find(name);
    }

    private CelType VisitSelect(Select select)
    {
        if (!select.TestOnly && Parser.QualifiedName(select) is { } name && !IsLocal(name) && _declarations.Find(name) is { } declared)
        {
            select.Qualified = name;
            return declared;
        }

        var result = Field(select.Offset, Visit(select.Operand), select.Field, isOptional: false);
        return select.TestOnly ? CelType.Bool : result;
    }

    private bool IsLocal(string name)
    {
        var first = name.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot ? name[..dot] : name;
        return _locals.Any(l => l.Name == first);
    }

    private CelType Field(int offset, CelType operand, string field, bool isOptional)
    {
        var type = _types.Apply(operand, unboundToDyn: false);
        var wrapped = type.IsOptional;
        var result = FieldOf(offset, wrapped ? type.Parameters[0] : type, field);
        return (wrapped || isOptional) && !result.IsOptional ? CelType.Optional(result) : result;
    }

    private CelType FieldOf(int offset, CelType type, string field)
    {
        switch (type.Kind)
        {
            case CelKind.Error or CelKind.Dyn or CelKind.Param:
                return CelType.Dyn;
            case CelKind.Map:
                return type.Parameters[1];
            case CelKind.Object when type.Field(field) is { } found:
                return found;
            case CelKind.Object:
                return Report(offset, $"undefined field '{field}'");
            default:
                return Report(offset, $"type '{type}' does not support field selection");
        }
    }

    private CelType VisitCall(Call call)
    {
        if (call.Function == Operators.OptSelect)
        {
            Visit(call.Args[1]);
            call.Overloads = _declarations.Functions.Find(call.Function)!;
            return Field(call.Offset, Visit(call.Args[0]), (string)((Literal)call.Args[1]).Value, isOptional: true);
        }

        foreach (var arg in call.Args)
        {
            Visit(arg);
        }

        if (call.Target is null)
        {
            var function = call.Function.TrimStart('.');
            return _declarations.Functions.Find(function) is { } overloads ? Resolve(call, function, overloads, null) : Undeclared(call.Offset, function);
        }

        if (Parser.QualifiedName(call.Target) is { } name && !IsLocal(name) && _declarations.Functions.Find($"{name}.{call.Function}") is { } qualified)
        {
            call.Qualified = $"{name}.{call.Function}";
            return Resolve(call, call.Qualified, qualified, null);
        }

        Visit(call.Target);
        return _declarations.Functions.Find(call.Function) is { } members
            ? Resolve(call, call.Function, members, call.Target)
            : Undeclared(call.Offset, call.Function);
    }

    private CelType Resolve(Call call, string name, IReadOnlyList<Overload> overloads, Expr? target)
    {
        List<CelType> given = [.. target is null ? [] : new[] { target.Type }, .. call.Args.Select(a => a.Type)];
        CelType? result = null;
        var fitting = new List<Overload>();
        foreach (var overload in overloads.Where(o => o.IsMember == target is not null))
        {
            var (args, type) = overload.IsGeneric ? _types.Instantiate(overload) : ((IReadOnlyList<CelType>)overload.Args, overload.Result);
            if (_types.Fits(given, args))
            {
                fitting.Add(overload);
                var found = _types.Apply(type, unboundToDyn: false);
                result = result is null || result.Equals(found) ? found : CelType.Dyn;
            }
        }

        call.Overloads = fitting;
        return result ?? NoOverload(call.Offset, name, given, target is not null);
    }

    private CelType NoOverload(int offset, string name, List<CelType> given, bool isMember)
    {
        var types = given.ConvertAll(t => _types.Apply(t, unboundToDyn: true).ToString());
        var signature = isMember ? $"{types[0]}.({string.Join(", ", types.Skip(1))})" : $"({string.Join(", ", types)})";
        return Report(offset, $"found no matching overload for '{name}' applied to '{signature}'");
    }

    private CelType VisitList(ListExpr list)
    {
        CelType? item = null;
        for (var i = 0; i < list.Elements.Count; i++)
        {
            var type = Visit(list.Elements[i]);
            item = Join(list.Elements[i], item, list.Optional.Contains(i) ? Unwrap(list.Elements[i], type) : type);
        }

        return CelType.List(item ?? _types.Fresh());
    }

    private CelType VisitMap(MapExpr map)
    {
        CelType? key = null, value = null;
        foreach (var entry in map.Entries)
        {
            key = Join(entry.Key, key, Visit(entry.Key));
            var type = Visit(entry.Value);
            value = Join(entry.Value, value, entry.Optional ? Unwrap(entry.Value, type) : type);
        }

        return CelType.Map(key ?? _types.Fresh(), value ?? _types.Fresh());
    }

    private CelType VisitStruct(StructExpr literal)
    {
        if (_declarations.Struct(literal.TypeName) is not { } type)
        {
            foreach (var field in literal.Fields)
            {
                Visit(field.Value);
            }

            return Undeclared(literal.Offset, literal.TypeName);
        }

        foreach (var field in literal.Fields)
        {
            var value = Visit(field.Value);
            value = field.Optional ? Unwrap(field.Value, value) : value;
            var wanted = type.Field(field.Name) ?? Report(field.Offset, $"undefined field '{field.Name}'");
            if (!_types.Fits(value, wanted))
            {
                Report(field.Offset, $"expected type of field '{field.Name}' is '{wanted}' but provided type is '{_types.Apply(value, unboundToDyn: true)}'");
            }
        }

        return type;
    }

    private CelType VisitLoop(Comprehension expr)
    {
        var loop = expr.Loop;
        var range = _types.Apply(Visit(loop.Range), unboundToDyn: false);
        var accumulator = Visit(loop.Init);
        var (first, second) = Variables(loop, range);
        _locals.Push((loop.Accumulator, accumulator));
        _locals.Push((loop.Variable, loop.Variable2 is null ? second : first));
        if (loop.Variable2 is not null)
        {
            _locals.Push((loop.Variable2, second));
        }

        Want(loop.Condition, CelType.Bool);
        Want(loop.Step, accumulator);
        _locals.Pop();
        if (loop.Variable2 is not null)
        {
            _locals.Pop();
        }

        var result = Visit(loop.Result);
        _locals.Pop();
        return _types.Apply(result, unboundToDyn: false);
    }

    /// <summary>Types of index or key and of the value; with one variable the value of a list, the key of a map.</summary>
    private (CelType First, CelType Second) Variables(Loop loop, CelType range)
    {
        switch (range.Kind)
        {
            case CelKind.List:
                return (CelType.Int, range.Parameters[0]);
            case CelKind.Map:
                return (range.Parameters[0], range.Parameters[loop.Variable2 is null ? 0 : 1]);
            case CelKind.Dyn or CelKind.Error or CelKind.Param:
                return (CelType.Dyn, CelType.Dyn);
            default:
                Report(loop.Range.Offset, $"expression of type '{range}' cannot be range of a comprehension (must be list, map, or dynamic)");
                return (CelType.Error, CelType.Error);
        }
    }

    private void Want(Expr expr, CelType wanted)
    {
        var type = Visit(expr);
        if (!_types.Fits(type, wanted))
        {
            Report(expr.Offset, $"expected type '{_types.Apply(wanted, unboundToDyn: true)}' but found '{_types.Apply(type, unboundToDyn: true)}'");
        }
    }

    private CelType Join(Expr expr, CelType? previous, CelType type)
    {
        if (previous is null)
        {
            return type;
        }

        if (_types.Fits(previous, type))
        {
            return Substitution.MoreGeneral(previous, type);
        }

        Report(expr.Offset, $"expected type '{_types.Apply(previous, unboundToDyn: true)}' but found '{_types.Apply(type, unboundToDyn: true)}'");
        return previous;
    }

    private CelType Unwrap(Expr expr, CelType type)
    {
        type = _types.Apply(type, unboundToDyn: false);
        return type.IsOptional ? type.Parameters[0]
            : type.IsDynOrError ? type
            : Report(expr.Offset, $"expected type 'optional_type({type})' but found '{type}'");
    }

    private CelType Undeclared(int offset, string name) => Report(offset, $"undeclared reference to '{name.TrimStart('.')}' (in container '')");

    private CelType Report(int offset, string message)
    {
        _issues.Add(new Issue(offset, message));
        return CelType.Error;
    }

    /// <summary>Replaces what is left of type variables in all nodes.</summary>
    private void Settle(Expr expr)
    {
        expr.Type = _types.Apply(expr.Type, unboundToDyn: true);
        foreach (var child in Children.Of(expr))
        {
            Settle(child);
        }
    }
}
