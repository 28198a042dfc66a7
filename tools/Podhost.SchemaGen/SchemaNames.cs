using System.Reflection;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using k8s.Models;

namespace Podhost.SchemaGen;

/// <summary>
/// Upstream's names of the models. The models carry group and version on kinds only; a part belongs to the first package that
/// reaches it, core before the others, except the parts of apimachinery, which are listed.
/// </summary>
internal static partial class SchemaNames
{
    private const string Meta = "io.k8s.apimachinery.pkg.apis.meta.v1";

    private static readonly HashSet<string> MetaModels =
    [
        "V1APIGroup", "V1APIGroupList", "V1APIResource", "V1APIResourceList", "V1APIVersions", "V1Condition", "V1DeleteOptions",
        "V1FieldSelectorRequirement", "V1GroupVersionForDiscovery", "V1LabelSelector", "V1LabelSelectorRequirement", "V1ListMeta",
        "V1ManagedFieldsEntry", "V1ObjectMeta", "V1OwnerReference", "V1Preconditions", "V1ServerAddressByClientCIDR",
        "V1ShardInfo", "V1Status", "V1StatusCause", "V1StatusDetails", "V1WatchEvent",
    ];

    public static Dictionary<Type, string> OfAllModels()
    {
        var names = new Dictionary<Type, string>();
        var models = typeof(V1Pod).Assembly.GetTypes().Where(t => t is { Namespace: "k8s.Models", IsPublic: true, IsClass: true }).ToList();
        foreach (var t in models.Where(t => MetaModels.Contains(t.Name)))
        {
            names[t] = $"{Meta}.{ShortName(t)}";
        }

        var kinds = models
            .Select(t => (Type: t, Entity: t.GetCustomAttribute<KubernetesEntityAttribute>()))
            .Where(k => k.Entity is { ApiVersion: "v1" } && !names.ContainsKey(k.Type))
            .OrderBy(k => k.Entity!.Group.Length == 0 ? 0 : 1).ThenBy(k => k.Entity!.Group, StringComparer.Ordinal);
        foreach (var (type, entity) in kinds)
        {
            Assign(type, Package(entity!.Group), names);
        }

        return names;
    }

    /// <summary>The properties of a model that are fields of its JSON.</summary>
    public static IEnumerable<PropertyInfo> Fields(Type type) => type
        .GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(p => p.GetCustomAttribute<JsonPropertyNameAttribute>() is not null);

    private static void Assign(Type type, string package, Dictionary<Type, string> names)
    {
        if (!names.TryAdd(type, $"{PackageOfPart(type, package)}.{ShortName(type)}"))
        {
            return;
        }

        foreach (var part in Fields(type).SelectMany(p => Parts(p.PropertyType)))
        {
            Assign(part, package, names);
        }
    }

    private static IEnumerable<Type> Parts(Type type) => type switch
    {
        { IsGenericType: true } => type.GetGenericArguments().SelectMany(Parts),
        { Namespace: "k8s.Models", IsClass: true } when Fields(type).Any() => [type],
        _ => [],
    };

    private static string Package(string group) => group switch
    {
        "" => "io.k8s.api.core.v1",
        "apiextensions.k8s.io" => "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
        "apiregistration.k8s.io" => "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1",
        _ => $"io.k8s.api.{group.Split('.')[0]}.v1",
    };

    // Jobs refer to parts of an alpha scheduling API.
    private static string PackageOfPart(Type type, string package) =>
        type.Name.StartsWith("V1alpha3", StringComparison.Ordinal) ? "io.k8s.api.scheduling.v1alpha3" : package;

    private static string ShortName(Type type) => Prefix().Replace(type.Name, "");

    [GeneratedRegex(@"^(V1(alpha\d|beta\d)?|[A-Z][a-z]+v1)(?=[A-Z])")]
    private static partial Regex Prefix();
}
