using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Schema;
using Podhost.Kubelet.Containers;

namespace Podhost.Kubelet.Tests;

/// <summary>Holds <c>docs/compatibility.md</c> to the API schema, to the tests that it names and to what the node refuses.</summary>
public sealed partial class CompatibilityTests
{
    private const string Core = "io.k8s.api.core.v1.";
    private static readonly string Root = FindRoot();
    private static readonly Dictionary<(string Type, string Field), Row> Rows = Read();

    [Fact]
    public void Every_field_of_a_pod_has_a_row_and_every_row_a_field()
    {
        var types = Types();
        var fields = types.Keys.Append("PodStatus").SelectMany(t => SchemaCatalog.Get(Core + t).Fields.Select(f => (t, f.Name))).ToHashSet();
        Assert.Empty(fields.Except(Rows.Keys));
        Assert.Empty(Rows.Keys.Except(fields));
    }

    [Fact]
    public void Every_row_names_evidence_that_exists()
    {
        var tests = Directory.EnumerateFiles(Path.Combine(Root, "tests"), "*Tests.cs", SearchOption.AllDirectories)
            .ToLookup(f => Path.GetFileNameWithoutExtension(f)!);
        Assert.All(Rows, row =>
        {
            Assert.NotEmpty(row.Value.Evidence);
            Assert.All(row.Value.Evidence, name => Assert.True(Exists(name, row.Key.Field, tests), $"{row.Key}: {name}"));
        });
    }

    [Fact]
    public void What_the_document_says_is_refused_is_refused()
    {
        var parents = Types();
        var refused = Rows.Where(r => r.Value.State.StartsWith("refused: ", StringComparison.Ordinal)).ToList();
        Assert.True(refused.Count > 30);
        foreach (var ((type, field), row) in refused)
        {
            var found = UnsupportedFields.Find(PodWith(type, field, parents));
            Assert.Contains(found, f => f.Field.EndsWith("." + field, StringComparison.Ordinal) && f.Message == row.State["refused: ".Length..]);
        }
    }

    private static bool Exists(string name, string field, ILookup<string, string> tests)
    {
        if (name.StartsWith("cases/", StringComparison.Ordinal))
        {
            // A case that does not even contain the field cannot show it.
            var directory = Path.Combine(Root, "tests", name);
            return Directory.Exists(directory) && Directory.EnumerateFiles(directory).Any(f => Regex.IsMatch(File.ReadAllText(f), $@"\b{field}\b"));
        }

        if (name.Contains('/', StringComparison.Ordinal))
        {
            return File.Exists(Path.Combine(Root, name));
        }

        var (suite, method) = (name.Split('.')[0], name.Split('.')[1]);
        return tests[suite].Any(f => File.ReadAllText(f).Contains($" {method}(", StringComparison.Ordinal));
    }

    /// <summary>The types below PodSpec, each with one way to it; not those of fields that are refused or without effect.</summary>
    private static Dictionary<string, (string Type, string Field)> Types()
    {
        var parents = new Dictionary<string, (string, string)> { ["PodSpec"] = ("", "") };
        var open = new Queue<string>(["PodSpec"]);
        while (open.TryDequeue(out var type))
        {
            foreach (var field in SchemaCatalog.Get(Core + type).Fields)
            {
                if (TypeOf(field.Value) is { } next && next.Name.StartsWith(Core, StringComparison.Ordinal)
                    && !(Rows.TryGetValue((type, field.Name), out var row) && row.IsLeaf) && parents.TryAdd(next.ShortName, (type, field.Name)))
                {
                    open.Enqueue(next.ShortName);
                }
            }
        }

        return parents;
    }

    private static V1Pod PodWith(string type, string field, Dictionary<string, (string Type, string Field)> parents)
    {
        JsonNode node = new JsonObject { [field] = Sample(SchemaCatalog.Get(Core + type).Field(field)!.Value) };
        for (var at = type; at != "PodSpec"; at = parents[at].Type)
        {
            var (parent, name) = parents[at];
            var isList = SchemaCatalog.Get(Core + parent).Field(name)!.Value.Kind == SchemaKind.List;
            node = new JsonObject { [name] = isList ? new JsonArray(node) : node };
        }

        node["containers"] ??= new JsonArray(new JsonObject { ["name"] = "a" });
        return ObjectCodec.ToModel<V1Pod>(new JsonObject { ["spec"] = node });
    }

    private static JsonNode Sample(SchemaValue value) => value.Kind switch
    {
        SchemaKind.List => new JsonArray(Sample(value.Item!)),
        SchemaKind.Integer or SchemaKind.IntOrString => 1,
        SchemaKind.Boolean => true,
        SchemaKind.String => "x",
        _ => new JsonObject(),
    };

    private static SchemaType? TypeOf(SchemaValue? value) => value is null ? null : value.Type ?? TypeOf(value.Item);

    private static Dictionary<(string, string), Row> Read()
    {
        var (rows, type) = (new Dictionary<(string, string), Row>(), "");
        foreach (var line in File.ReadLines(Path.Combine(Root, "docs", "compatibility.md")))
        {
            if (line.StartsWith('#'))
            {
                type = line.StartsWith("### ", StringComparison.Ordinal) ? line[4..] : "";
            }
            else if (type.Length > 0 && line.StartsWith("| ", StringComparison.Ordinal) && !line.StartsWith("| field |", StringComparison.Ordinal))
            {
                var cells = line.Trim('|').Split('|', StringSplitOptions.TrimEntries);
                rows.Add((type, cells[0]), new Row(cells[1], [.. Quoted().Matches(cells[2]).Select(m => m.Groups[1].Value)]));
            }
        }

        return rows;
    }

    private static string FindRoot()
    {
        for (var directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            if (File.Exists(Path.Combine(directory, "docs", "compatibility.md")))
            {
                return directory;
            }
        }

        throw new FileNotFoundException("docs/compatibility.md");
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();

    private sealed record Row(string State, string[] Evidence)
    {
        /// <summary>True where the fields below need no rows.</summary>
        public bool IsLeaf => State.StartsWith("refused", StringComparison.Ordinal) || State.StartsWith("no effect", StringComparison.Ordinal);
    }
}
