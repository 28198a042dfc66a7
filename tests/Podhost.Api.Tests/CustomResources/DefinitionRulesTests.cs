using Podhost.Api.Defaulting;
using Podhost.Api.Resources;
using Podhost.Api.Validation;
using Podhost.Api.Yaml;

namespace Podhost.Api.Tests.CustomResources;

public sealed class DefinitionRulesTests
{
    private static readonly ResourceInfo Definitions = ResourceTable.Find("apiextensions.k8s.io", "v1", "customresourcedefinitions")!;

    [Fact]
    public void A_valid_definition_has_no_faults() => Assert.Empty(Faults());

    [Theory]
    [InlineData("name: widgets.example.com", "name: other.example.com", "metadata.name: Invalid value: \"other.example.com\": must be spec.names.plural+\".\"+spec.group")]
    [InlineData("group: example.com", "group: example", "metadata.name: Invalid value: \"widgets.example.com\": must be spec.names.plural+\".\"+spec.group",
        "spec.group: Invalid value: \"example\": should be a domain with at least one dot")]
    [InlineData("scope: Namespaced", "scope: Global", "spec.scope: Unsupported value: \"Global\": supported values: \"Cluster\", \"Namespaced\"")]
    [InlineData("kind: Widget", "kind: Wid_get", "*", "*")]
    [InlineData("listKind: WidgetList", "listKind: Widget", "spec.names.listKind: Invalid value: \"Widget\": kind and listKind may not be the same")]
    [InlineData("storage: true", "storage: false", "*")]
    [InlineData("strategy: None", "strategy: Webhook", "spec.conversion.webhook.clientConfig: Required value: required when strategy is set to Webhook",
        "spec.conversion.webhook.conversionReviewVersions: Required value: must specify one of v1, v1beta1")]
    [InlineData("preserveUnknownFields: false", "preserveUnknownFields: true",
        "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead")]
    [InlineData("openAPIV3Schema: {type: object}", "openAPIV3Schema: {type: array}", "spec.versions[0].schema.openAPIV3Schema.type: Invalid value: \"array\": must be object at the root",
        "spec.versions[0].schema.openAPIV3Schema.items: Required value: must be specified")]
    [InlineData("schema: {openAPIV3Schema: {type: object}}", "deprecated: false", "spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required")]
    [InlineData("{type: object}", "{type: object, properties: {spec: {properties: {a: {type: string}}}}}",
        "spec.versions[0].schema.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields")]
    [InlineData("{type: object}", "{type: object, properties: {a: {type: string, default: 1}}}",
        "spec.versions[0].schema.openAPIV3Schema.properties[a].default: Invalid value: \"integer\": spec.versions[0].schema.openAPIV3Schema.properties[a].default in body must be of type string: \"integer\"")]
    [InlineData("{type: object}", "{type: object, properties: {a: {type: string, pattern: '('}}}", "*")]
    [InlineData("{type: object}", "{type: object, properties: {a: {type: object}}, anyOf: [{properties: {a: {type: string}}}]}",
        "spec.versions[0].schema.openAPIV3Schema.anyOf[0].properties[a].type: Forbidden: must be empty to be structural")]
    [InlineData("{type: object}", "{type: object, properties: {a: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, properties: {k: {type: string}}}}}}",
        "spec.versions[0].schema.openAPIV3Schema.properties[a].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property")]
    [InlineData("{type: object}", "{type: object, properties: {metadata: {type: object, properties: {labels: {type: object}}}}}",
        "spec.versions[0].schema.openAPIV3Schema.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified")]
    [InlineData("{type: object}", "{type: object, x-kubernetes-validations: [{rule: 'self.a > 1'}]}",
        "spec.versions[0].schema.openAPIV3Schema.x-kubernetes-validations[0].rule: Forbidden: rules of the Common Expression Language are not evaluated by this server, so the rule \"self.a > 1\" would not be kept")]
    [InlineData("subresources: {}", "subresources: {scale: {specReplicasPath: .status.x, statusReplicasPath: .status.n}}",
        "spec.versions[0].subresources.scale.specReplicasPath: Invalid value: \".status.x\": should be a json path under .spec")]
    [InlineData("subresources: {}", "additionalPrinterColumns: [{name: A, type: text, jsonPath: .spec.a}]",
        "spec.versions[0].additionalPrinterColumns[0].type: Invalid value: \"text\": must be one of boolean,date,integer,number,string")]
    [InlineData("subresources: {}", "selectableFields: [{jsonPath: .spec.a}]", "spec.versions[0].selectableFields[0].jsonPath: Invalid value: \".spec.a\": does not refer to a valid field")]
    public void Faults_are_told_in_upstreams_words(string from, string to, params string[] expected)
    {
        var faults = Faults(from, to);
        Assert.True(faults.Count >= expected.Length, string.Join('\n', faults));
        foreach (var fault in expected.Where(e => e != "*"))
        {
            Assert.Contains(fault, faults);
        }
    }

    [Fact]
    public void Protected_groups_want_an_approval()
    {
        var faults = Faults("example.com", "sample.k8s.io");
        Assert.Equal(
            ["metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation \"api-approved.kubernetes.io\", see https://github.com/kubernetes/enhancements/pull/1111"],
            faults);
    }

    private static List<string> Faults(string from = "", string to = "")
    {
        var text = Definition;
        if (from.Length > 0)
        {
            Assert.Contains(from, text);
            text = text.Replace(from, to, StringComparison.Ordinal);
        }

        var obj = YamlReader.ReadObject(text);
        ObjectDefaulter.Apply(Definitions, obj);
        return [.. ObjectValidator.ValidateCreate(Definitions, obj).Select(f => f.ToString())];
    }

    private const string Definition = """
        metadata:
          name: widgets.example.com
        spec:
          group: example.com
          scope: Namespaced
          preserveUnknownFields: false
          conversion:
            strategy: None
          names:
            kind: Widget
            listKind: WidgetList
            plural: widgets
          versions:
          - name: v1
            served: true
            storage: true
            schema: {openAPIV3Schema: {type: object}}
            subresources: {}
        status:
          storedVersions: [v1]
        """;
}
