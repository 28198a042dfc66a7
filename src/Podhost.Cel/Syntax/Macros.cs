using Podhost.Cel.Values;

namespace Podhost.Cel.Syntax;

/// <summary>Turns macros into loops and tests: has, all, exists, existsOne, map, filter, their forms of two variables, optMap.</summary>
internal static class Macros
{
    /// <summary>The accumulator's name; no identifier of an expression can be it.</summary>
    public const string Accumulator = "@result";

    private const string Unused = "#unused";

    private static readonly IReadOnlySet<int> None = new HashSet<int>();

    /// <summary>What a call of a macro means, or null where it is no macro.</summary>
    public static Expr? Expand(int offset, string function, Expr? target, List<Expr> args, List<Issue> issues)
    {
        var macro = new Macro(offset, args, issues);
        return (function, target, args.Count) switch
        {
            ("has", null, 1) => macro.Has(),
            ("all", { } range, 2) => macro.All(range, null),
            ("all", { } range, 3) => macro.All(range, args[1]),
            ("exists", { } range, 2) => macro.Exists(range, null),
            ("exists", { } range, 3) => macro.Exists(range, args[1]),
            ("exists_one" or "existsOne", { } range, 2) => macro.ExistsOne(range, null),
            ("exists_one" or "existsOne", { } range, 3) => macro.ExistsOne(range, args[1]),
            ("map", { } range, 2) => macro.Map(range, null, null, args[1]),
            ("map", { } range, 3) => macro.Map(range, null, args[1], args[2]),
            ("filter", { } range, 2) => macro.Map(range, null, args[1], args[0]),
            ("transformList", { } range, 3) => macro.Map(range, args[1], null, args[2]),
            ("transformList", { } range, 4) => macro.Map(range, args[1], args[2], args[3]),
            ("transformMap", { } range, 3) => macro.TransformMap(range, null, args[2], isEntry: false),
            ("transformMap", { } range, 4) => macro.TransformMap(range, args[2], args[3], isEntry: false),
            ("transformMapEntry", { } range, 3) => macro.TransformMap(range, null, args[2], isEntry: true),
            ("transformMapEntry", { } range, 4) => macro.TransformMap(range, args[2], args[3], isEntry: true),
            ("optMap", { } value, 2) => macro.OptMap(value, isFlat: false),
            ("optFlatMap", { } value, 2) => macro.OptMap(value, isFlat: true),
            _ => null,
        };
    }

    private sealed class Macro(int offset, List<Expr> args, List<Issue> issues)
    {
        public Expr Has()
        {
            if (args[0] is Select { TestOnly: false } select)
            {
                return new Select(offset, select.Operand, select.Field, testOnly: true);
            }

            issues.Add(new Issue(args[0].Offset, "invalid argument to has() macro"));
            return Literal(false);
        }

        public Comprehension All(Expr range, Expr? second) => NewLoop(range, second, Literal(true),
            NewCall(Operators.NotStrictlyFalse, Result()), NewCall(Operators.And, Result(), args[^1]), Result());

        public Comprehension Exists(Expr range, Expr? second) => NewLoop(range, second, Literal(false),
            NewCall(Operators.NotStrictlyFalse, NewCall(Operators.Not, Result())), NewCall(Operators.Or, Result(), args[^1]), Result());

        public Comprehension ExistsOne(Expr range, Expr? second) => NewLoop(range, second, Literal(0L), Literal(true),
            NewCall(Operators.Conditional, args[^1], NewCall(Operators.Add, Result(), Literal(1L)), Result()),
            NewCall(Operators.Equal, Result(), Literal(1L)));

        public Comprehension Map(Expr range, Expr? second, Expr? filter, Expr value)
        {
            var step = NewCall(Operators.Add, Result(), new ListExpr(offset, [value], None));
            return NewLoop(range, second, new ListExpr(offset, [], None), Literal(true), Filtered(filter, step), Result());
        }

        public Comprehension TransformMap(Expr range, Expr? filter, Expr value, bool isEntry)
        {
            Expr[] insert = isEntry ? [Result(), value] : [Result(), args[0], value];
            var step = NewCall(Operators.MapInsert, insert);
            return NewLoop(range, args[1], new MapExpr(offset, []), Literal(true), Filtered(filter, step), Result());
        }

        public Call OptMap(Expr value, bool isFlat)
        {
            var name = Name(args[0], "optMap() variable name must be a simple identifier");
            var bind = new Comprehension(offset, new Loop(Unused, null, new ListExpr(offset, [], None), name,
                new Call(offset, "value", value, []), Literal(false), new Ident(offset, name), args[1]));
            return NewCall(Operators.Conditional, new Call(offset, "hasValue", value, []), isFlat ? bind : NewCall("optional.of", bind), NewCall("optional.none"));
        }

        private Expr Filtered(Expr? filter, Expr step) => filter is null ? step : NewCall(Operators.Conditional, filter, step, Result());

        private Comprehension NewLoop(Expr range, Expr? second, Expr init, Expr condition, Expr step, Expr result)
        {
            var first = Name(args[0], "argument must be a simple name");
            var name2 = second is null ? null : Name(second, "argument must be a simple name");
            if (name2 is not null && name2 == first)
            {
                issues.Add(new Issue(second!.Offset, $"duplicate variable name: {name2}"));
            }

            return new Comprehension(offset, new Loop(first, name2, range, Accumulator, init, condition, step, result));
        }

        private string Name(Expr expr, string message)
        {
            if (expr is Ident ident && !ident.Name.StartsWith('.'))
            {
                return ident.Name;
            }

            issues.Add(new Issue(expr.Offset, message));
            return Unused;
        }

        private Ident Result() => new(offset, Accumulator);

        private Literal Literal(bool value) => new(offset, Boxes.Of(value));

        private Literal Literal(long value) => new(offset, value);

        private Call NewCall(string function, params Expr[] arguments) => new(offset, function, null, arguments);
    }
}
