using System.Text.Json.Nodes;
using Podhost.Cel.Schemas;
using Podhost.Cel.Types;

namespace Podhost.Cel.Tests;

/// <summary>Costs at run time, and their estimates by a schema.</summary>
public sealed class CostTests
{
    private static readonly CelSchema Schema = CelSchema.FromJson(JsonNode.Parse("""
        {"type": "object", "properties": {
          "x": {"type": "integer"}, "y": {"type": "integer"},
          "small": {"type": "array", "maxItems": 725, "items": {"type": "integer"}},
          "sums": {"type": "array", "maxItems": 1000, "items": {"type": "integer"}},
          "open": {"type": "array", "items": {"type": "string"}},
          "name": {"type": "string", "maxLength": 64}, "free": {"type": "string"}
        }}
        """)!.AsObject());

    private static readonly DeclaredType Declared = DeclaredType.Of(Schema, "selfType", isResource: false)!;

    [Theory]
    [InlineData("1 + 2", 1)]
    [InlineData("self.x + self.y > 0", 6)]
    [InlineData("self.name", 2)]
    [InlineData("[1, 2]", 10)]
    [InlineData("{'a': 1}", 30)]
    [InlineData("has(self.x)", 1)]
    [InlineData("self.small.all(i, i > 0)", 2 + (2 * 5) + 1)]
    [InlineData("self.name.startsWith('abcdefghijk')", 3)]
    public void An_evaluation_costs(string expression, long cost)
    {
        var self = JsonNode.Parse("""{"x": 1, "y": 2, "small": [1, 2], "name": "some"}""");
        var outcome = Compile(expression).Evaluate(_ => CelValues.FromJson(self, Schema));
        Assert.Null(outcome.Error);
        Assert.Equal(cost, outcome.Cost);
    }

    [Fact]
    public void A_loop_in_a_loop_over_much_data_passes_the_limit()
    {
        var self = new JsonObject { ["small"] = new JsonArray([.. Enumerable.Range(0, 725).Select(_ => JsonValue.Create(20))]) };
        var outcome = Compile("self.small.all(x, self.small.all(y, y == x))").Evaluate(_ => CelValues.FromJson(self, Schema));
        Assert.True(outcome.IsTooCostly);
        Assert.Equal("operation cancelled: actual cost limit exceeded", outcome.Error);
    }

    [Theory]
    [InlineData("self.x + self.y > 0", 100)]
    [InlineData("self.small.all(x, self.small.all(y, y == x))", 10_000_000)]
    [InlineData("self.sums.isSorted() && (self.sums.sum() % 2 == 0)", 10_000)]
    [InlineData("self.name == 'a string'", 100)]
    [InlineData("self.name.matches('^[a-z]+$')", 1_000)]
    [InlineData("('x is ' + string(self.x)).size() > 3", 100)]
    public void What_a_schema_bounds_is_cheap(string expression, ulong limit) =>
        Assert.InRange(Estimate(expression), 1UL, limit);

    [Theory]
    [InlineData("self.open.all(a, self.open.all(b, a == b))")]
    [InlineData("self.open.all(a, a == 'string constant') && self.open.all(a, self.open.exists(b, b.contains(a)))")]
    [InlineData("self.free.split('').all(c, self.free.contains(c))")]
    public void What_nothing_bounds_is_dear(string expression) => Assert.True(Estimate(expression) > 10_000_000);

    private static ulong Estimate(string expression) => Compile(expression).EstimateCost(new Dictionary<string, DeclaredType> { ["self"] = Declared });

    private static CelProgram Compile(string expression)
    {
        var compiled = new CelEnvironment(new Dictionary<string, CelType> { ["self"] = Declared.Type }).Compile(expression);
        Assert.Null(compiled.Error);
        return compiled.Program!;
    }
}
