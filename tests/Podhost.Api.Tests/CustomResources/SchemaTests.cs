using System.Text.Json.Nodes;
using Podhost.Api.CustomResources;
using Podhost.Api.Yaml;

namespace Podhost.Api.Tests.CustomResources;

public sealed class SchemaTests
{
    private const string Schema = """
        type: object
        properties:
          spec:
            type: object
            required: [size]
            properties:
              size: {type: integer, minimum: 1, maximum: 10}
              name: {type: string, pattern: '^[a-z]+$', maxLength: 5, minLength: 2}
              color: {type: string, enum: [red, green], default: red}
              port: {x-kubernetes-int-or-string: true}
              ratio: {type: number, exclusiveMinimum: true, minimum: 0, multipleOf: 0.5}
              day: {type: string, format: date}
              note: {type: string, nullable: true}
              tags: {type: array, x-kubernetes-list-type: set, maxItems: 3, items: {type: string}}
              labels: {type: object, additionalProperties: {type: string}, maxProperties: 2}
              rest: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {known: {type: object, properties: {a: {type: string}}}}}
              ports:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items: {type: object, required: [name], properties: {name: {type: string}, number: {type: integer, default: 80}}}
              one:
                type: object
                properties: {a: {type: string}, b: {type: string}}
                oneOf: [{required: [a]}, {required: [b]}]
              any:
                type: object
                properties: {a: {type: string}, b: {type: string}}
                anyOf: [{required: [a]}, {required: [b]}]
              ban:
                type: string
                not: {enum: [never]}
              template: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}
        """;

    private static readonly SchemaNode Root = SchemaNode.Read(YamlReader.ReadObject(Schema));

    [Theory]
    [InlineData("size: 3", "")]
    [InlineData("size: 3.0", "")]
    [InlineData("{}", "spec.size: Required value")]
    [InlineData("size: x", "spec.size: Invalid value: \"string\": spec.size in body must be of type integer: \"string\"")]
    [InlineData("size: 11", "spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10")]
    [InlineData("size: 0", "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1")]
    [InlineData("{size: 1, name: A1}", "spec.name: Invalid value: \"A1\": spec.name in body should match '^[a-z]+$'")]
    [InlineData("{size: 1, name: abcdef}", "spec.name: Too long: may not be more than 5 bytes")]
    [InlineData("{size: 1, name: a}", "spec.name: Invalid value: \"a\": spec.name in body should be at least 2 chars long")]
    [InlineData("{size: 1, color: blue}", "spec.color: Unsupported value: \"blue\": supported values: \"red\", \"green\"")]
    [InlineData("{size: 1, port: http}", "")]
    [InlineData("{size: 1, port: 80}", "")]
    [InlineData("{size: 1, port: true}", "spec.port: Invalid value: \"boolean\": spec.port in body must be of type integer,string: \"boolean\"")]
    [InlineData("{size: 1, ratio: 0}", "spec.ratio: Invalid value: 0: spec.ratio in body should be greater than 0")]
    [InlineData("{size: 1, ratio: 0.7}", "spec.ratio: Invalid value: 0.7: spec.ratio in body should be a multiple of 0.5")]
    [InlineData("{size: 1, day: '2026-02-30'}", "spec.day: Invalid value: \"2026-02-30\": spec.day in body must be of type date: \"2026-02-30\"")]
    [InlineData("{size: 1, note: null}", "")]
    [InlineData("{size: 1, color: null}", "spec.color: Invalid value: \"null\": spec.color in body must be of type string: \"null\"")]
    [InlineData("{size: 1, tags: [a, b, a]}", "spec.tags[2]: Duplicate value: \"a\"")]
    [InlineData("{size: 1, tags: [a, b, c, d]}", "spec.tags: Too many: 4: must have at most 3 items")]
    [InlineData("{size: 1, labels: {a: 1}}", "spec.labels.a: Invalid value: \"integer\": spec.labels.a in body must be of type string: \"integer\"")]
    [InlineData("{size: 1, labels: {a: x, b: x, c: x}}", "spec.labels: Too many: 3: must have at most 2 items")]
    [InlineData("{size: 1, ports: [{name: a}, {name: a}]}", "spec.ports[1]: Duplicate value: {\"name\":\"a\"}")]
    [InlineData("{size: 1, one: {a: x, b: x}}", "<nil>: Invalid value: \"\": \"spec.one\" must validate one and only one schema (oneOf). Found 2 valid alternatives")]
    [InlineData("{size: 1, any: {}}", "<nil>: Invalid value: \"\": \"spec.any\" must validate at least one schema (anyOf)", "spec.any.a: Required value")]
    [InlineData("{size: 1, ban: never}", "<nil>: Invalid value: \"\": \"spec.ban\" must not validate the schema (not)")]
    [InlineData("{size: 1, template: {kind: Pod}}", "spec.template.apiVersion: Required value: must not be empty")]
    public void Values_are_judged_in_upstreams_words(string spec, params string[] expected)
    {
        var obj = Object(spec);
        var faults = CustomValidator.Validate(Root, obj).Concat(EmbeddedResources.Faults(Root, obj, "")).Concat(ListKeys.Duplicates(Root, obj, ""));
        Assert.Equal(expected.Where(e => e.Length > 0), faults.Select(f => f.ToString()));
    }

    [Fact]
    public void What_an_update_leaves_alone_is_not_judged_again()
    {
        var old = Object("{size: 11, name: A1, ports: [{name: a, number: x}]}");
        var now = Object("{size: 11, name: B2, ports: [{name: b}, {name: a, number: x}]}");
        var fault = Assert.Single(CustomValidator.Validate(Root, now, "", old));
        Assert.Equal("spec.name", fault.Field);
    }

    [Theory]
    [InlineData("{size: 1, bogus: 1}", "{size: 1}", "spec.bogus")]
    [InlineData("{size: 1, labels: {any: x}}", "{size: 1, labels: {any: x}}")]
    [InlineData("{size: 1, rest: {x: {y: 1}, known: {a: x, b: 1}}}", "{size: 1, rest: {x: {y: 1}, known: {a: x}}}", "spec.rest.known.b")]
    [InlineData("{size: 1, ports: [{name: a, x: 1}]}", "{size: 1, ports: [{name: a}]}", "spec.ports[0].x")]
    [InlineData("{size: 1, template: {apiVersion: v1, kind: Pod, spec: {a: 1}}}", "{size: 1, template: {apiVersion: v1, kind: Pod, spec: {a: 1}}}")]
    public void Unknown_fields_are_pruned(string spec, string kept, params string[] removed)
    {
        var obj = Object(spec);
        var found = new List<string>();
        Pruning.Prune(obj, Root, found);
        Assert.Equal(Object(kept).ToJsonString(), obj.ToJsonString());
        Assert.Equal(removed, found);
    }

    [Theory]
    [InlineData("{size: 1}", "{size: 1, color: red}")]
    [InlineData("{size: 1, color: null}", "{size: 1, color: red}")]
    [InlineData("{size: 1, color: green, note: null, name: null}", "{size: 1, color: green, note: null}")]
    [InlineData("{size: 1, color: green, ports: [{name: a}]}", "{size: 1, color: green, ports: [{name: a, number: 80}]}")]
    public void Defaults_fill_what_is_not_set(string spec, string filled)
    {
        var obj = Object(spec);
        CustomDefaults.Apply(obj, Root);
        Assert.Equal(Object(filled).ToJsonString(), obj.ToJsonString());
    }

    [Theory]
    [InlineData(@"^\d+$", "12", true)]
    [InlineData(@"^\d+$", "12\n", false)]
    [InlineData(@"^\d$", "٣", false)]
    [InlineData(@"^[[:alpha:]_]+$", "ab_", true)]
    [InlineData(@"^[\w.-]+$", "a.b-c", true)]
    [InlineData(@"^(?P<a>x|y)$", "y", true)]
    [InlineData(@"^\pL+$", "äb", true)]
    [InlineData(@"^[]a]+$", "]a", true)]
    [InlineData(@"\Qa.b\E", "a.b", true)]
    [InlineData(@"\Qa.b\E", "axb", false)]
    [InlineData(@"^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$", "* * * * */5", true)]
    public void Patterns_mean_what_Go_means(string pattern, string text, bool matches) =>
        Assert.Equal(matches, GoPattern.TryCompile(pattern, out _)!.IsMatch(text));

    [Fact]
    public void A_broken_pattern_is_told() => Assert.Null(GoPattern.TryCompile("a(", out _));

    [Theory]
    [InlineData(".spec.a", "1")]
    [InlineData(".spec.list[0].id", "x")]
    [InlineData(".spec.list[-1].id", "z")]
    [InlineData(".spec.list[*].id", "x z")]
    [InlineData(".spec.list[?(@.id==\"z\")].v", "2")]
    [InlineData(".spec.list[?(@.v>1)].id", "z")]
    [InlineData(".spec.list[0:1].id", "x")]
    [InlineData(".spec['a.b']", "z")]
    [InlineData(@".spec.a\.b", "z")]
    [InlineData("..id", "x z")]
    [InlineData(".spec.none.deeper", "")]
    public void Columns_find_their_values(string path, string found)
    {
        var obj = YamlReader.ReadObject("spec: {a: 1, 'a.b': z, list: [{id: x, v: 1}, {id: z, v: 2}]}");
        Assert.Equal(found, string.Join(' ', JsonPathQuery.Parse(path).Find(obj).Select(n => n!.ToString())));
    }

    [Fact]
    public void Versions_are_ordered_by_preference() => Assert.Equal(
        ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10"],
        new[] { "foo10", "v1", "v11alpha2", "v10", "v3beta1", "foo1", "v10beta3", "v2", "v12alpha1", "v11beta2" }.Order(VersionOrder.Instance));

    private static JsonObject Object(string spec) => YamlReader.ReadObject("spec: " + (spec[0] == '{' ? spec : $"{{{spec}}}"));
}
