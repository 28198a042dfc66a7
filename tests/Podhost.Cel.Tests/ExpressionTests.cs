using System.Globalization;
using System.Text.Json.Nodes;
using Podhost.Cel.Functions;
using Podhost.Cel.Schemas;
using Podhost.Cel.Types;
using Podhost.Cel.Values;

namespace Podhost.Cel.Tests;

/// <summary>Expressions and what becomes of them: <c>tests/cases/cel/*.txt</c>.</summary>
public sealed class ExpressionTests
{
    private const string Arrow = " ==> ";

    private static readonly JsonObject Object = JsonNode.Parse("""
        {"spec": {"replicas": 3}, "list": ["a", "b"], "real": 1.5, "nothing": null}
        """)!.AsObject();

    internal static readonly CelSchema Schema = CelSchema.FromJson(JsonNode.Parse("""
        {"type": "object", "required": ["name"], "properties": {
          "replicas": {"type": "integer"}, "name": {"type": "string", "maxLength": 10}, "created": {"type": "string", "format": "date-time"},
          "wait": {"type": "string", "format": "duration"}, "data": {"type": "string", "format": "byte"}, "port": {"x-kubernetes-int-or-string": true},
          "namespace": {"type": "string"}, "a-b": {"type": "integer"}, "x.y": {"type": "string"}, "absent": {"type": "string"}, "ratio": {"type": "number"},
          "labels": {"type": "object", "additionalProperties": {"type": "string"}}, "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
          "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
          "items": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}, "weight": {"type": "integer"}}}},
          "weird": {"x-kubernetes-preserve-unknown-fields": true}, "unlimited": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}
        }}
        """)!.AsObject());

    private static readonly JsonObject Self = JsonNode.Parse("""
        {"replicas": 3, "name": "name", "created": "2024-02-29T12:00:00Z", "wait": "90s", "data": "YWJj", "port": 80, "namespace": "ns", "a-b": 7, "x.y": "dotted",
         "labels": {"app": "web"}, "set": ["a", "b"], "items": [{"name": "x", "weight": 1}, {"name": "y", "weight": 2}], "ratio": 2,
         "metadata": {"name": "obj"}, "weird": 1, "unlimited": {"anything": 1}}
        """)!.AsObject();

    private static readonly CelEnvironment Environment = new(new Dictionary<string, CelType>
    {
        ["object"] = CelType.Dyn,
        ["self"] = DeclaredType.Of(Schema, "selfType", isResource: false)!.Type,
        ["authorizer"] = LibraryTypes.Authorizer,
    });

    public static TheoryData<string> Cases(string file) =>
        [.. File.ReadLines(Path.Combine(Root, "tests/cases/cel", file)).Where(l => l.Contains(Arrow, StringComparison.Ordinal) && !l.StartsWith('#'))];

    private static string Root
    {
        get
        {
            var directory = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(directory.FullName, "Podhost.slnx")))
            {
                directory = directory.Parent!;
            }

            return directory.FullName;
        }
    }

    [Theory]
    [MemberData(nameof(Cases), "language.txt")]
    public void The_language(string line) => Check(line);

    [Theory]
    [MemberData(nameof(Cases), "library.txt")]
    public void The_libraries(string line) => Check(line);

    private static void Check(string line)
    {
        var at = line.LastIndexOf(Arrow, StringComparison.Ordinal);
        var (expression, expected) = (line[..at], line[(at + Arrow.Length)..]);
        var compiled = Environment.Compile(expression.Trim());
        if (expected.StartsWith("refused: ", StringComparison.Ordinal))
        {
            Assert.Null(compiled.Program);
            Assert.Contains(expected["refused: ".Length..], compiled.Error!, StringComparison.Ordinal);
            return;
        }

        Assert.Null(compiled.Error);
        var outcome = compiled.Program!.Evaluate(Variable);
        Assert.Equal(expected, outcome.Error is { } error ? $"error: {error}" : Print(outcome.Value!));
    }

    internal static object? Variable(string name) => name switch
    {
        "object" => CelValues.FromJson(Object),
        "self" => CelValues.FromJson(Self, Schema),
        "authorizer" => CelValues.Authorizer(new Answers()),
        _ => null,
    };

    private static string Print(object value) => value switch
    {
        ulong u => u + "u",
        double d => Numbers.Format(d) is var text && (text.Contains('.') || !double.IsFinite(d)) ? text : d.ToString("0.0", CultureInfo.InvariantCulture),
        CelOptional { Value: { } inner } => $"optional({Print(inner)})",
        CelNull => "null",
        string s => '"' + s.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n").Replace("\t", "\\t") + '"',
        CelList l => $"[{string.Join(", ", l.Items.Select(Print))}]",
        CelMap m => $"{{{string.Join(", ", m.Keys.Select(k => $"{Print(k)}: {Print(m.Find(k)!)}"))}}}",
        _ => Podhost.Cel.Values.Values.Display(value),
    };

    private sealed class Answers : ICelAuthorizer
    {
        public CelAuthorizationAnswer Check(CelAuthorizationQuery query) => new(query.Resource != "secrets", "no");
    }
}
