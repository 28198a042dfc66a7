using Podhost.Cel.Checking;
using Podhost.Cel.Costs;
using Podhost.Cel.Syntax;
using Podhost.Cel.Values;

namespace Podhost.Cel.Evaluation;

/// <summary>Evaluates a checked tree. Faults are values of type <see cref="CelError"/>; costs are counted as cel-go counts them.</summary>
internal sealed class Evaluator(Func<string, object?> variables, CostMeter meter)
{
    /// <summary>The value of a node.</summary>
    /// <exception cref="CostLimitException">The limit of the cost is passed.</exception>
    public object Evaluate(Expr expr, Scope? scope) => expr switch
    {
        Literal l => l.Value,
        Ident i => Name(i, scope),
        Select s => Select(s, scope),
        Call c => Call(c, scope),
        ListExpr l => List(l, scope),
        MapExpr m => Map(m, scope),
        StructExpr s => Struct(s, scope),
        Comprehension c => c.IsBind ? Bind(c.Loop, scope) : Loop(c.Loop, scope),
        _ => throw new InvalidOperationException("unknown node"),
    };

    private object Name(Ident ident, Scope? scope)
    {
        meter.Add(1);
        return Scope.Find(scope, ident.Name) ?? Variable(ident.Name);
    }

    private object Variable(string name)
    {
        name = name.TrimStart('.');
        return variables(name) ?? Types.TypeNames.Find(name) ?? (object)new CelError($"no such attribute(s): {name}");
    }

    private object Select(Select select, Scope? scope)
    {
        if (select.Qualified is { } qualified)
        {
            meter.Add(1);
            return Variable(qualified);
        }

        var operand = Operand(select.Operand, scope, isTest: select.TestOnly);
        if (select.TestOnly)
        {
            return Fields.Has(operand, select.Field);
        }

        meter.Add(1);
        return Fields.Get(operand, select.Field);
    }

    // A path from a variable is one attribute; a path from any other value costs one more.
    private object Operand(Expr operand, Scope? scope, bool isTest)
    {
        var value = Evaluate(operand, scope);
        if (!isTest && operand is not (Ident or Select { TestOnly: false } or Call { Function: Operators.Index or Operators.OptIndex or Operators.OptSelect }))
        {
            meter.Add(1);
        }

        return value;
    }

    private object Call(Call call, Scope? scope)
    {
        switch (call.Function)
        {
            case Operators.And:
                return Logic(call, scope, absorbing: false);
            case Operators.Or:
                return Logic(call, scope, absorbing: true);
            case Operators.Conditional:
                var condition = Evaluate(call.Args[0], scope);
                return condition is bool holds ? Evaluate(call.Args[holds ? 1 : 2], scope) : condition is CelError ? condition : CelError.NoSuchOverload();
            case Operators.NotStrictlyFalse:
                var value = Evaluate(call.Args[0], scope);
                meter.Add(1);
                return Boxes.Of(value is not false);
            case Operators.Index or Operators.OptIndex or Operators.OptSelect:
                return Index(call, scope);
            case "or" or "orValue" when call.IsMember:
                return Or(call, scope);
            default:
                return Function(call, scope);
        }
    }

    private object Logic(Call call, Scope? scope, bool absorbing)
    {
        var left = Evaluate(call.Args[0], scope);
        if (left is bool l && l == absorbing)
        {
            return left;
        }

        var right = Evaluate(call.Args[1], scope);
        if (right is bool r && r == absorbing)
        {
            return right;
        }

        return left is bool && right is bool ? Boxes.Of(!absorbing)
            : left is CelError ? left
            : right is CelError ? right
            : CelError.NoSuchOverload();
    }

    private object Index(Call call, Scope? scope)
    {
        var operand = Operand(call.Args[0], scope, isTest: false);
        var index = Evaluate(call.Args[1], scope);
        meter.Add(1);
        return index is CelError ? index : call.Function == Operators.Index ? Fields.Get(operand, index) : Fields.GetOptional(operand, index);
    }

    private object Or(Call call, Scope? scope)
    {
        var target = Evaluate(call.Target!, scope);
        if (target is not CelOptional optional)
        {
            return target is CelError ? target : CelError.NoSuchOverload();
        }

        var result = !optional.HasValue ? Evaluate(call.Args[0], scope) : call.Function == "or" ? optional : optional.Value!;
        meter.Add(1);
        return result;
    }

    private object Function(Call call, Scope? scope)
    {
        var args = new object[call.Args.Count + (call.IsMember ? 1 : 0)];
        var next = 0;
        if (call.IsMember)
        {
            args[next++] = Evaluate(call.Target!, scope);
        }

        foreach (var arg in call.Args)
        {
            args[next++] = Evaluate(arg, scope);
        }

        var overload = Choose(call.Overloads, args);
        var error = Array.Find(args, a => a is CelError);
        var result = error ?? overload?.Do!(args) ?? CelError.NoSuchOverload();
        meter.Add(RuntimeCosts.Of(call.Name, overload?.Id ?? "", args, result));
        return result;
    }

    private static Overload? Choose(IReadOnlyList<Overload> overloads, object[] args)
    {
        foreach (var overload in overloads)
        {
            var fits = overload.Do is not null && overload.Args.Count == args.Length;
            for (var i = 0; fits && i < args.Length; i++)
            {
                fits = Values.Values.Is(args[i], overload.Args[i]);
            }

            if (fits)
            {
                return overload;
            }
        }

        return null;
    }

    private object List(ListExpr list, Scope? scope)
    {
        var items = new List<object>(list.Elements.Count);
        for (var i = 0; i < list.Elements.Count; i++)
        {
            var item = Evaluate(list.Elements[i], scope);
            if (list.Optional.Contains(i) && item is CelOptional optional)
            {
                item = optional.Value;
            }

            if (item is CelError)
            {
                return item;
            }

            if (item is not null)
            {
                items.Add(item);
            }
        }

        meter.Add(RuntimeCosts.NewList);
        return new ArrayList(items);
    }

    private object Map(MapExpr map, Scope? scope)
    {
        var result = new DictionaryMap();
        foreach (var entry in map.Entries)
        {
            var key = Evaluate(entry.Key, scope);
            var value = Evaluate(entry.Value, scope);
            value = entry.Optional && value is CelOptional optional ? optional.Value : value;
            if (key is CelError || value is CelError)
            {
                return key is CelError ? key : value!;
            }

            if (key is not (string or long or ulong or bool))
            {
                return new CelError($"unsupported key type: {Values.Values.TypeOf(key)}");
            }

            if (value is not null && result.Insert(key, value) is CelError)
            {
                return new CelError($"Failed with repeated key: {Values.Values.Display(key)}");
            }
        }

        meter.Add(RuntimeCosts.NewMap);
        return result;
    }

    private object Struct(StructExpr literal, Scope? scope)
    {
        var fields = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var field in literal.Fields)
        {
            var value = Evaluate(field.Value, scope);
            value = field.Optional && value is CelOptional optional ? optional.Value : value;
            if (value is CelError)
            {
                return value;
            }

            if (value is not null)
            {
                fields[field.Name] = value;
            }
        }

        meter.Add(RuntimeCosts.NewStruct);
        return new StructValue(literal.Type, fields);
    }

    private object Bind(Loop loop, Scope? scope)
    {
        var value = Evaluate(loop.Init, scope);
        return value is CelError ? value : Evaluate(loop.Result, new Scope(loop.Accumulator, value, scope));
    }

    private object Loop(Loop loop, Scope? scope)
    {
        var range = Evaluate(loop.Range, scope);
        if (range is not (CelList or CelMap))
        {
            return range is CelError ? range : CelError.NoSuchOverload();
        }

        var accumulator = new Scope(loop.Accumulator, Grow(Evaluate(loop.Init, scope), isGrowing: true), scope);
        if (range is CelList list)
        {
            for (var i = 0; i < list.Count && Step(loop, accumulator, (long)i, list[i], loop.Variable2 is null ? list[i] : (object)(long)i); i++)
            {
            }
        }
        else
        {
            var map = (CelMap)range;
            foreach (var key in map.Keys)
            {
                if (!Step(loop, accumulator, key, loop.Variable2 is null ? key : map.Find(key)!, key))
                {
                    break;
                }
            }
        }

        Grow(accumulator.Value, isGrowing: false);
        return Evaluate(loop.Result, accumulator);
    }

    /// <summary>One round; false where the loop ends before it.</summary>
    private bool Step(Loop loop, Scope accumulator, object first, object second, object only)
    {
        var inner = loop.Variable2 is null
            ? new Scope(loop.Variable, only, accumulator)
            : new Scope(loop.Variable2, second, new Scope(loop.Variable, first, accumulator));
        if (Evaluate(loop.Condition, inner) is false || (accumulator.Value is CelError && loop.Condition is Literal))
        {
            return false;
        }

        accumulator.Value = Evaluate(loop.Step, inner);
        return true;
    }

    private static object Grow(object value, bool isGrowing)
    {
        if (value is ArrayList list)
        {
            list.IsGrowing = isGrowing;
        }
        else if (value is DictionaryMap map)
        {
            map.IsGrowing = isGrowing;
        }

        return value;
    }
}
