using System.Text.Json.Nodes;
using Podhost.Api.Selectors;

namespace Podhost.Api.Tests.Selectors;

public class LabelSelectorTests
{
    private static readonly Dictionary<string, string> Labels = new() { ["app"] = "web", ["tier"] = "a", ["rank"] = "7", ["empty"] = "" };

    [Theory]
    [InlineData("", true)]
    [InlineData("app=web", true)]
    [InlineData("app==web", true)]
    [InlineData("app = web , tier != b", true)]
    [InlineData("app!=web", false)]
    [InlineData("app in (web,db)", true)]
    [InlineData("app in (db)", false)]
    [InlineData("app notin (db)", true)]
    [InlineData("none notin (db)", true)]
    [InlineData("app notin(web)", false)]
    [InlineData("app", true)]
    [InlineData("none", false)]
    [InlineData("!none", true)]
    [InlineData("!app", false)]
    [InlineData("rank>6", true)]
    [InlineData("rank>7", false)]
    [InlineData("rank<8", true)]
    [InlineData("app>1", false)]
    [InlineData("empty=", true)]
    [InlineData("empty in ()", true)]
    [InlineData("app in (,web)", true)]
    [InlineData("empty in (x,)", true)]
    [InlineData("in=x", false)]
    [InlineData("tier in (a),app=web", true)]
    [InlineData("none!=x", true)]
    public void Matches(string selector, bool expected)
    {
        Assert.Equal(expected, LabelSelector.Parse(selector).Matches(Labels));
        var json = new JsonObject(Labels.Select(l => KeyValuePair.Create(l.Key, (JsonNode?)l.Value)));
        Assert.Equal(expected, LabelSelector.Parse(selector).Matches(json));
    }

    [Theory]
    [InlineData("a=b c", "found 'c', expected: ',' or 'end of string'")]
    [InlineData("a,", "found '', expected: identifier after ','")]
    [InlineData(",", "found ',', expected: !, identifier, or 'end of string'")]
    [InlineData("a in b", "unable to parse requirement: found 'b' expected: '('")]
    [InlineData("a in (b", "unable to parse requirement: found '', expected: ',' or ')'")]
    [InlineData("a (b)", "unable to parse requirement: found '(', expected: in, notin, =, ==, !=, gt, lt")]
    [InlineData("a==(", "unable to parse requirement: found '(', expected: identifier")]
    [InlineData("a>x", "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer")]
    [InlineData("-a=b", "unable to parse requirement: <nil>: Invalid value: \"-a\": name part must consist of alphanumeric characters")]
    [InlineData("a=-", "unable to parse requirement: values[a]: Invalid value: \"-\": a valid label must be an empty string or consist of")]
    [InlineData("!", "unable to parse requirement: found '', expected: identifier")]
    public void RefusesInUpstreamsWords(string selector, string message) =>
        Assert.StartsWith(message, Assert.Throws<FormatException>(() => LabelSelector.Parse(selector)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("b=1,a in (y,x)", "a in (x,y),b=1")]
    [InlineData("!x, y, z!=1,n>5", "n>5,!x,y,z!=1")]
    public void PrintsSorted(string selector, string expected)
    {
        Assert.Equal(expected, LabelSelector.Parse(selector).ToString());
        Assert.Equal(expected, LabelSelector.Parse(expected).ToString());
    }

    [Fact]
    public void ReadsObjects()
    {
        var selector = (JsonObject)JsonNode.Parse("""
            {"matchLabels":{"app":"web"},"matchExpressions":[{"key":"tier","operator":"In","values":["a","b"]},{"key":"none","operator":"DoesNotExist"}]}
            """)!;
        Assert.Equal("app=web,!none,tier in (a,b)", LabelSelector.FromObject(selector).ToString());
        Assert.True(LabelSelector.FromObject(selector).Matches(Labels));
        Assert.True(LabelSelector.FromObject([]).Matches(Labels));
        Assert.False(LabelSelector.FromObject(null).Matches(Labels));
        Assert.Equal("\"Near\" is not a valid label selector operator", Assert.Throws<FormatException>(() => LabelSelector.FromObject(
            (JsonObject)JsonNode.Parse("""{"matchExpressions":[{"key":"a","operator":"Near"}]}""")!)).Message);
        Assert.Contains("values set can't be empty", Assert.Throws<FormatException>(() => LabelSelector.FromObject(
            (JsonObject)JsonNode.Parse("""{"matchExpressions":[{"key":"a","operator":"In"}]}""")!)).Message);
    }

    [Theory]
    [InlineData(null, "app=web", false)]
    [InlineData("{}", "", true)]
    [InlineData("""{"matchLabels":{"app":"web"}}""", "app=web,x=y", true)]
    [InlineData("""{"matchLabels":{"app":"web"}}""", "app=db", false)]
    [InlineData("""{"matchExpressions":[{"key":"app","operator":"NotIn","values":["web"]}]}""", "", true)]
    [InlineData("""{"matchLabels":{"app":"web"},"matchExpressions":[{"key":"old","operator":"DoesNotExist"}]}""", "app=web,old=1", false)]
    public void A_model_selects_what_its_json_selects(string? json, string labels, bool expected)
    {
        var model = json is null ? null : k8s.KubernetesJson.Deserialize<k8s.Models.V1LabelSelector>(json);
        var map = labels.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split('=')).ToDictionary(l => l[0], l => l[1]);
        Assert.Equal(expected, LabelSelector.FromModel(model).Matches(map));
        Assert.Equal(expected, LabelSelector.FromModel(model).Matches(key => map.GetValueOrDefault(key)));
        Assert.Equal(expected, LabelSelector.FromObject(json is null ? null : System.Text.Json.Nodes.JsonNode.Parse(json)!.AsObject()).Matches(map));
    }

    [Fact]
    public void A_model_with_an_unknown_operator_is_refused() => Assert.Equal(
        "\"Near\" is not a valid label selector operator",
        Assert.Throws<FormatException>(() => LabelSelector.FromModel(
            new k8s.Models.V1LabelSelector { MatchExpressions = [new() { Key = "a", OperatorProperty = "Near" }] })).Message);
}
