using System.Text.Json.Nodes;
using CsCheck;
using Podhost.Api.Yaml;

namespace Podhost.Api.Tests.Yaml;

public class YamlTests
{
    [Theory]
    [InlineData("a: yes", """{"a":true}""")]
    [InlineData("a: 'yes'", """{"a":"yes"}""")]
    [InlineData("a: off", """{"a":false}""")]
    [InlineData("a: n", """{"a":false}""")]
    [InlineData("a: ~", """{"a":null}""")]
    [InlineData("a:", """{"a":null}""")]
    [InlineData("a: 0777", """{"a":511}""")]
    [InlineData("a: 0o17", """{"a":15}""")]
    [InlineData("a: 0x1F", """{"a":31}""")]
    [InlineData("a: 1_000", """{"a":1000}""")]
    [InlineData("a: -5", """{"a":-5}""")]
    [InlineData("a: 1.5", """{"a":1.5}""")]
    [InlineData("a: 1e3", """{"a":1000}""")]
    [InlineData("a: 1.0", """{"a":1}""")]
    [InlineData("a: 1.2.3", """{"a":"1.2.3"}""")]
    [InlineData("a: 10.0.0.1", """{"a":"10.0.0.1"}""")]
    [InlineData("a: 100m", """{"a":"100m"}""")]
    [InlineData("a: 2024-01-02", """{"a":"2024-01-02"}""")]
    [InlineData("a: 12:30", """{"a":"12:30"}""")]
    [InlineData("a: .inf", """{"a":".inf"}""")]
    [InlineData("a: 9223372036854775808", """{"a":9223372036854775808}""")]
    [InlineData("a: !!str 5", """{"a":"5"}""")]
    [InlineData("a: !!binary aGk=", """{"a":"hi"}""")]
    [InlineData("1: a\ntrue: b", """{"1":"a","true":"b"}""")]
    [InlineData("a: |\n  x\n  y\n", """{"a":"x\ny\n"}""")]
    [InlineData("a: >-\n  x\n  y\n", """{"a":"x y"}""")]
    [InlineData("x: &x {a: 1}\nz: *x", """{"x":{"a":1},"z":{"a":1}}""")]
    [InlineData("x: &x {a: 1, b: 2}\nz: {<<: *x, b: 3}", """{"x":{"a":1,"b":2},"z":{"b":3,"a":1}}""")]
    [InlineData("{\"a\": [1, {\"b\": null}]}", """{"a":[1,{"b":null}]}""")]
    public void Reads(string yaml, string json) => GoldenCases.AssertSame(JsonNode.Parse(json), YamlReader.ReadObject(yaml));

    [Theory]
    [InlineData("a: 1\nb: 2\na: 3", "yaml: line 3: key \"a\" already set in map", 3)]
    [InlineData("a: [1", "yaml: line 2:", 2)]
    [InlineData("a: *none", "yaml: line 1: unknown anchor 'none' referenced", 1)]
    [InlineData("a: !!int x", "yaml: line 1: cannot decode !!int `x`", 1)]
    [InlineData("a: b: c", "yaml: line 1:", 1)]
    [InlineData("- 1", "yaml: line 1: the document is not a mapping", 1)]
    [InlineData("", "yaml: the document is empty", 0)]
    [InlineData("a: 1\n---\nb: 2", "yaml: one document is expected, not 2", 0)]
    [InlineData("? [a]\n: b", "yaml: line 1: a key must be a scalar", 1)]
    public void Refuses(string yaml, string message, int line)
    {
        var e = Assert.Throws<YamlException>(() => YamlReader.ReadObject(yaml));
        Assert.StartsWith(message, e.Message, StringComparison.Ordinal);
        Assert.Equal(line, e.Line);
    }

    [Fact]
    public void LeavesEmptyDocumentsOut() => Assert.Equal(2, YamlReader.ReadAll("# nothing\n---\na: 1\n---\n---\nb: 2\n---\n").Count);

    [Fact]
    public void RefusesAliasBombs()
    {
        var yaml = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + string.Concat(Enumerable.Range(1, 9)
            .Select(i => $"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));
        Assert.Contains("excessive aliasing", Assert.Throws<YamlException>(() => YamlReader.ReadObject(yaml)).Message);
    }

    [Fact]
    public void RefusesDeepNesting() =>
        Assert.Contains("nested deeper", Assert.Throws<YamlException>(() => YamlReader.ReadAll(new string('[', 5000) + new string(']', 5000))).Message);

    [Fact]
    public void WritesAsKubectlPrints()
    {
        var json = JsonNode.Parse("""
            {"kind":"Pod","apiVersion":"v1","spec":{"containers":[{"name":"a","args":["x","--y=z","yes","5"],"ports":[{"containerPort":80}],"env":[]}],"empty":{}},
             "metadata":{"annotations":{"note":"line 1\nline 2\n","colon":"a: b","hash":"a #b","blank":"","quote":"it's","star":"*x"},"labels":null},"lists":[[1,2],[]]}
            """);
        Assert.Equal(
            """
            apiVersion: v1
            kind: Pod
            lists:
            - - 1
              - 2
            - []
            metadata:
              annotations:
                blank: ""
                colon: 'a: b'
                hash: 'a #b'
                note: |
                  line 1
                  line 2
                quote: it's
                star: '*x'
              labels: null
            spec:
              containers:
              - args:
                - x
                - --y=z
                - "yes"
                - "5"
                env: []
                name: a
                ports:
                - containerPort: 80
              empty: {}

            """,
            YamlWriter.Write(json));
    }

    private static readonly Gen<string> Texts = Gen.OneOf(
        Gen.Char["ab:#-'\"\n \t{}[]&*!|>%@`,?0.~=\\yn\u0001\u00e9"].Array[0, 12].Select(c => new string(c)),
        Gen.OneOf("yes", "no", "null", "~", "1e3", "0x10", "1_0", "<<", "=", "---", "...", ".5", "+1", "- a", "? b", "a:", " a", "a ", "\n", "a\n\n", "\na", "a\n b\nc", "a \nb"));

    [Fact]
    public void WhatIsWrittenReadsBack() => Gen.Dictionary(Texts, Gen.OneOf(Texts.Select(t => (JsonNode)t), Texts.Array[0, 3].Select(a =>
        (JsonNode)new JsonArray([.. a.Select(t => (JsonNode)t)]))))[1, 4].Sample(d =>
    {
        var obj = new JsonObject(d.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value.DeepClone())));
        return JsonNode.DeepEquals(obj, YamlReader.ReadObject(YamlWriter.Write(obj)));
    });
}
