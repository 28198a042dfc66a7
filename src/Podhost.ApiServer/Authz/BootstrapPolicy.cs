using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Yaml;

namespace Podhost.ApiServer.Authz;

/// <summary>The roles and bindings of bootstrap-policy.yaml as objects.</summary>
/// <param name="ClusterRoles">The cluster roles.</param>
/// <param name="ClusterRoleBindings">The cluster role bindings.</param>
public sealed record BootstrapPolicy(IReadOnlyList<V1ClusterRole> ClusterRoles, IReadOnlyList<V1ClusterRoleBinding> ClusterRoleBindings)
{
    private const string GroupVersion = "rbac.authorization.k8s.io/v1";
    private const string RbacGroup = "rbac.authorization.k8s.io";

    /// <summary>Reads the embedded policy; once for all who need it, as it is large.</summary>
    public static BootstrapPolicy Load()
    {
        using var stream = typeof(BootstrapPolicy).Assembly.GetManifestResourceStream("bootstrap-policy.yaml")!;
        using var reader = new StreamReader(stream);
        var policy = YamlReader.ReadObject(reader.ReadToEnd());
        return new BootstrapPolicy(
            [.. policy["clusterRoles"]!.AsArray().Select(n => Role(n!.AsObject()))],
            [.. policy["clusterRoleBindings"]!.AsArray().Select(n => Binding(n!.AsObject()))]);
    }

    private static V1ClusterRole Role(JsonObject from) => new()
    {
        ApiVersion = GroupVersion,
        Kind = "ClusterRole",
        Metadata = Meta(from),
        AggregationRule = from["aggregate"] is JsonArray labels
            ? new V1AggregationRule
            {
                ClusterRoleSelectors = [.. labels.Select(l => new V1LabelSelector { MatchLabels = new Dictionary<string, string> { [l!.GetValue<string>()] = "true" } })],
            }
            : null,
        Rules = from["rules"] is JsonArray rules ? [.. rules.Select(r => Rule(r!.AsObject()))] : [],
    };

    private static V1PolicyRule Rule(JsonObject from) => new()
    {
        ApiGroups = Strings(from["apiGroups"]),
        Resources = Strings(from["resources"]),
        NonResourceURLs = Strings(from["nonResourceURLs"]),
        Verbs = Strings(from["verbs"]),
    };

    private static V1ClusterRoleBinding Binding(JsonObject from) => new()
    {
        ApiVersion = GroupVersion,
        Kind = "ClusterRoleBinding",
        Metadata = Meta(from),
        RoleRef = new V1RoleRef { ApiGroup = RbacGroup, Kind = "ClusterRole", Name = from["role"]!.GetValue<string>() },
        Subjects =
        [
            .. (Strings(from["users"]) ?? []).Select(u => new Rbacv1Subject { ApiGroup = RbacGroup, Kind = "User", Name = u }),
            .. (Strings(from["groups"]) ?? []).Select(g => new Rbacv1Subject { ApiGroup = RbacGroup, Kind = "Group", Name = g }),
        ],
    };

    private static V1ObjectMeta Meta(JsonObject from)
    {
        var labels = new Dictionary<string, string> { ["kubernetes.io/bootstrapping"] = "rbac-defaults" };
        foreach (var (key, value) in from["labels"] as JsonObject ?? [])
        {
            labels[key] = value!.GetValue<string>();
        }

        return new V1ObjectMeta
        {
            Name = from["name"]!.GetValue<string>(),
            Labels = labels,
            Annotations = new Dictionary<string, string> { ["rbac.authorization.kubernetes.io/autoupdate"] = "true" },
        };
    }

    private static List<string>? Strings(JsonNode? node) => node is JsonArray a ? [.. a.Select(n => n!.GetValue<string>())] : null;
}
