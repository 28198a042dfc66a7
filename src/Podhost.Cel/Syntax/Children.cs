namespace Podhost.Cel.Syntax;

/// <summary>The direct children of nodes.</summary>
internal static class Children
{
    public static IEnumerable<Expr> Of(Expr expr) => expr switch
    {
        Select s => [s.Operand],
        Call { IsMember: true } c => [c.Target!, .. c.Args],
        Call c => c.Args,
        ListExpr l => l.Elements,
        MapExpr m => m.Entries.SelectMany(e => new[] { e.Key, e.Value }),
        StructExpr s => s.Fields.Select(f => f.Value),
        Comprehension { Loop: var l } => [l.Range, l.Init, l.Condition, l.Step, l.Result],
        _ => [],
    };
}
