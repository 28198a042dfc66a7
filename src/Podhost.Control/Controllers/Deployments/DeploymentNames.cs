using System.Globalization;
using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Control.Controllers.Workloads;

namespace Podhost.Control.Controllers.Deployments;

/// <summary>Annotations, labels and names by which Deployments and their ReplicaSets know each other.</summary>
internal static class DeploymentNames
{
    public const string Revision = "deployment.kubernetes.io/revision";
    public const string RevisionHistory = "deployment.kubernetes.io/revision-history";
    public const string DesiredReplicas = "deployment.kubernetes.io/desired-replicas";
    public const string MaxReplicas = "deployment.kubernetes.io/max-replicas";
    public const string RollbackTo = "deprecated.deployment.rollback.to";
    public const string TemplateHash = "pod-template-hash";

    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";

    private static readonly string[] OwnAnnotations = [LastApplied, Revision, RevisionHistory, DesiredReplicas, MaxReplicas, RollbackTo];

    /// <summary>True where two templates are the same but for the label of the hash.</summary>
    public static bool SameTemplate(V1PodTemplateSpec left, V1PodTemplateSpec right) => JsonNode.DeepEquals(WithoutHash(left), WithoutHash(right));

    /// <summary>A hash of a template that may be part of a name and a label's value.</summary>
    /// <param name="template">The template.</param>
    /// <param name="collisions">How often the hash of this template met one of another.</param>
    public static string HashOf(V1PodTemplateSpec template, int collisions) => ShortHash.Of(WithoutHash(template), collisions);

    /// <summary>The revision in an object's annotation; 0 where there is none.</summary>
    public static long RevisionOf(V1ObjectMeta meta) =>
        meta.Annotations?.TryGetValue(Revision, out var text) == true && long.TryParse(text, CultureInfo.InvariantCulture, out var revision) ? revision : 0;

    /// <summary>A number in an annotation, or null.</summary>
    public static int? Number(V1ObjectMeta meta, string annotation) =>
        meta.Annotations?.TryGetValue(annotation, out var text) == true && int.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number : null;

    /// <summary>Annotations of a Deployment that its ReplicaSets carry too.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Inherited(V1Deployment deployment) =>
        (deployment.Metadata.Annotations ?? new Dictionary<string, string>()).Where(a => !OwnAnnotations.Contains(a.Key));

    /// <summary>The annotations of a Deployment that goes back to a set: those that the set has of it, and what it never shares.</summary>
    public static Dictionary<string, string> AnnotationsOf(V1ObjectMeta deployment, V1ObjectMeta set)
    {
        var own = (deployment.Annotations ?? new Dictionary<string, string>()).Where(a => OwnAnnotations.Contains(a.Key));
        return own.Concat((set.Annotations ?? new Dictionary<string, string>()).Where(a => !OwnAnnotations.Contains(a.Key))).ToDictionary(a => a.Key, a => a.Value, StringComparer.Ordinal);
    }

    /// <summary>A template as it is compared: without the label of the hash.</summary>
    public static JsonObject WithoutHash(V1PodTemplateSpec template)
    {
        var json = ObjectCodec.ToObject(template);
        (json["metadata"]?["labels"] as JsonObject)?.Remove(TemplateHash);
        return json;
    }
}
