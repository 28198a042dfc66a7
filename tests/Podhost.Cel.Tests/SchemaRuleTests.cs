using System.Text.Json.Nodes;
using Podhost.Cel.Rules;

namespace Podhost.Cel.Tests;

/// <summary>x-kubernetes-validations: the rules of upstream's e2e tests, and what they come to.</summary>
public sealed class SchemaRuleTests
{
    private const string Path = "spec.validation.openAPIV3Schema";

    [Fact]
    public void Rules_that_hold_pass_and_others_tell_what_failed()
    {
        var rules = Compile(Spec("""
            "x-kubernetes-validations": [
              {"rule": "self.x + self.y > 0"},
              {"rule": "self.firstArray.isSorted() && self.secondArray.isSorted() && ((self.firstArray.sum() + self.secondArray.sum()) % 2 == 0)"},
              {"rule": "self.largeArray.all(x, self.largeArray.all(y, y == x))"}],
            "properties": {"x": {"type": "integer"}, "y": {"type": "integer"},
              "firstArray": {"type": "array", "maxItems": 1000, "items": {"type": "integer"}}, "secondArray": {"type": "array", "maxItems": 1000, "items": {"type": "integer"}},
              "largeArray": {"type": "array", "maxItems": 725, "items": {"type": "integer"}}}
            """));
        Assert.Empty(Faults(rules, """{"spec": {"x": 1, "y": 0, "firstArray": [3, 4], "secondArray": [5, 10], "largeArray": [2, 2]}}"""));
        Assert.Equal(
            [
                "spec: Invalid value: \"object\": failed rule: self.x + self.y > 0",
                "spec: Invalid value: \"object\": no such key: firstArray evaluating rule: self.firstArray.isSorted() && self.secondArray.isSorted() && ((self.firstArray.sum() + self.secondArray.sum()) % 2 == 0)",
                "spec: Invalid value: \"object\": no such key: largeArray evaluating rule: self.largeArray.all(x, self.largeArray.all(y, y == x))",
            ],
            Faults(rules, """{"spec": {"x": 0, "y": 0}}"""));
        var large = new JsonObject { ["spec"] = new JsonObject { ["x"] = 1, ["y"] = 1, ["firstArray"] = new JsonArray(), ["secondArray"] = new JsonArray(),
            ["largeArray"] = new JsonArray([.. Enumerable.Range(0, 725).Select(_ => JsonValue.Create(20L))]) } };
        Assert.Contains("call cost exceeds limit", Assert.Single(Faults(rules, large.ToJsonString())), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("self.z == 100", "undefined field 'z'")]
    [InlineData("self = 42", "Syntax error")]
    [InlineData("self.x", "cel expression must evaluate to a bool")]
    [InlineData("", "rule is not specified")]
    [InlineData("self.x == 1 &&\\n self.x == 2", "message must be specified if rule contains line breaks")]
    public void A_rule_that_cannot_be_is_refused(string rule, string why) =>
        Assert.Contains(why, Assert.Single(Check(Spec("""
            "x-kubernetes-validations": [{"rule": "RULE"}], "properties": {"x": {"type": "integer"}}
            """.Replace("RULE", rule)))), StringComparison.Ordinal);

    [Fact]
    public void A_rule_below_unbounded_lists_exceeds_the_budget()
    {
        var faults = Check(Spec("""
            "properties": {"x": {"type": "array", "items": {"type": "array", "items": {"type": "string"}, "x-kubernetes-validations": [{"rule": "self.all(s, s == 'string constant')"}]}}}
            """));
        Assert.Contains("spec.validation.openAPIV3Schema.properties[spec].properties[x].items.x-kubernetes-validations[0].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x "
            + "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)", faults);
        Assert.Contains(faults, f => f.Contains("contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema", StringComparison.Ordinal));
    }

    [Fact]
    public void The_rules_of_the_end_to_end_tests_are_within_the_budget() => Assert.Empty(Check("""
        {"type": "object", "properties": {
          "field": {"type": "string", "x-kubernetes-validations": [{"rule": "self == \"foo\""}]},
          "list": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["key"], "items": {"type": "object", "required": ["key"], "properties": {
            "key": {"type": "string"}, "field": {"type": "string", "x-kubernetes-validations": [{"rule": "self == \"foo\""}]}}}},
          "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"field": {"type": "string", "x-kubernetes-validations": [{"rule": "self == \"foo\""}]}}}},
          "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string", "x-kubernetes-validations": [{"rule": "self != \"foo\""}]}}}}
        """));

    [Fact]
    public void A_transition_rule_needs_an_old_value_and_a_place_that_has_one()
    {
        var rules = Compile(Spec("""
            "properties": {"num": {"type": "integer", "x-kubernetes-validations": [{"rule": "self > oldSelf"}]}}
            """));
        Assert.Empty(Faults(rules, """{"spec": {"num": 10}}"""));
        Assert.Equal(["spec.num: Invalid value: \"integer\": failed rule: self > oldSelf"], Faults(rules, """{"spec": {"num": 9}}""", """{"spec": {"num": 10}}"""));
        Assert.Contains("oldSelf cannot be used on the uncorrelatable portion of the schema within", Assert.Single(Check(Spec("""
            "properties": {"list": {"type": "array", "items": {"type": "integer", "x-kubernetes-validations": [{"rule": "self > oldSelf"}]}}}
            """))), StringComparison.Ordinal);
    }

    [Fact]
    public void An_optional_old_value_may_be_missing()
    {
        var rules = Compile(Tree("""[{"rule": "!oldSelf.hasValue() || self != oldSelf.value()", "optionalOldSelf": true}]"""));
        Assert.Empty(Faults(rules, Object("foo")));
        Assert.Equal(["field", "list[0].field", "map[k].field"], Faults(rules, Object("foo"), Object("foo")).Select(f => f.Split(':')[0]));
        Assert.Empty(Faults(rules, Object("new"), Object("foo")));
    }

    [Fact]
    public void What_has_not_changed_only_warns()
    {
        var rules = Compile(Tree("""[{"rule": "self == 'foo'"}]"""));
        var warnings = new List<string>();
        Assert.Empty(Faults(rules, Object("bad", other: true), Object("bad"), warnings));
        Assert.Equal(3, warnings.Count);
        Assert.Equal(["field", "list[0].field", "map[k].field"], Faults(rules, Object("worse"), Object("bad")).Select(f => f.Split(':')[0]));
    }

    [Fact]
    public void Items_of_a_list_without_keys_are_judged_anew_when_the_list_changes()
    {
        var rules = Compile("""
            {"type": "object", "properties": {"list": {"type": "array", "items": {"type": "string", "x-kubernetes-validations": [{"rule": "self != 'foo'"}]}}}}
            """);
        Assert.Empty(Faults(rules, """{"list": ["foo"]}""", """{"list": ["foo"]}"""));
        Assert.Single(Faults(rules, """{"list": ["foo", "bar"]}""", """{"list": ["foo"]}"""));
    }

    [Fact]
    public void A_rule_says_where_why_and_in_which_words()
    {
        var rules = Compile(Spec("""
            "x-kubernetes-validations": [
              {"rule": "self.x > 5", "fieldPath": ".x", "reason": "FieldValueForbidden", "messageExpression": "'x is ' + string(self.x)"},
              {"rule": "self.x > 4", "message": " too small "},
              {"rule": "self.x > 3", "reason": "FieldValueRequired", "messageExpression": "''"}],
            "properties": {"x": {"type": "integer"}}
            """));
        Assert.Equal(
            ["spec.x: Forbidden: x is 1", "spec: Invalid value: \"object\": too small", "spec: Required value: failed rule: self.x > 3"],
            Faults(rules, """{"spec": {"x": 1}}"""));
    }

    private static string Spec(string spec) => """{"type": "object", "properties": {"spec": {"type": "object", SPEC}}}""".Replace("SPEC", spec);

    private static string Tree(string rules) => """
        {"type": "object", "properties": {
          "field": {"type": "string", "maxLength": 5, "x-kubernetes-validations": RULES}, "other": {"type": "string"},
          "list": {"type": "array", "maxItems": 5, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["key"], "items": {"type": "object", "properties": {
            "key": {"type": "string"}, "other": {"type": "string"}, "field": {"type": "string", "maxLength": 5, "x-kubernetes-validations": RULES}}}},
          "map": {"type": "object", "maxProperties": 5, "additionalProperties": {"type": "object", "properties": {
            "other": {"type": "string"}, "field": {"type": "string", "maxLength": 5, "x-kubernetes-validations": RULES}}}}}}
        """.Replace("RULES", rules);

    private static string Object(string value, bool other = false)
    {
        var more = other ? ", \"other\": \"x\"" : "";
        return """{"field": "VALUE", "list": [{"key": "a", "field": "VALUE"MORE}], "map": {"k": {"field": "VALUE"MORE}}}""".Replace("VALUE", value).Replace("MORE", more);
    }

    private static SchemaRules Compile(string schema)
    {
        Assert.Empty(Check(schema));
        return SchemaRules.Compile(JsonNode.Parse(schema)!.AsObject())!;
    }

    private static List<string> Check(string schema) => [.. SchemaRuleFaults.Find(JsonNode.Parse(schema)!.AsObject(), Path).Select(f => f.ToString())];

    private static List<string> Faults(SchemaRules rules, string obj, string? old = null, List<string>? warnings = null) =>
        [.. rules.Validate(JsonNode.Parse(obj)!.AsObject(), old is null ? null : JsonNode.Parse(old)!.AsObject(), w => warnings?.Add(w)).Select(f => f.ToString())];
}
