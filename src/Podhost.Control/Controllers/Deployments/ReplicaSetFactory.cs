using System.Globalization;
using System.Text.Json.Nodes;
using Podhost.Control.Objects;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Control.Controllers.Workloads;

namespace Podhost.Control.Controllers.Deployments;

/// <summary>What a Deployment writes into its ReplicaSets. Pure.</summary>
internal static class ReplicaSetFactory
{
    /// <summary>The set of the Deployment's template.</summary>
    public static V1ReplicaSet Make(V1Deployment deployment, IReadOnlyList<V1ReplicaSet> sets, RolloutNumbers numbers)
    {
        var hash = DeploymentNames.HashOf(deployment.Spec.Template, deployment.Status?.CollisionCount ?? 0);
        var template = ObjectCodec.ToModel<V1PodTemplateSpec>(ObjectCodec.ToUtf8(deployment.Spec.Template));
        template.Metadata ??= new V1ObjectMeta();
        template.Metadata.Labels = With(template.Metadata.Labels, DeploymentNames.TemplateHash, hash);
        var selector = ObjectCodec.ToModel<V1LabelSelector>(ObjectCodec.ToUtf8(deployment.Spec.Selector));
        selector.MatchLabels = With(selector.MatchLabels, DeploymentNames.TemplateHash, hash);
        var annotations = DeploymentNames.Inherited(deployment).ToDictionary(a => a.Key, a => a.Value, StringComparer.Ordinal);
        annotations[DeploymentNames.Revision] = Text(LastRevision(sets) + 1);
        annotations[DeploymentNames.DesiredReplicas] = Text(numbers.Replicas);
        annotations[DeploymentNames.MaxReplicas] = Text(numbers.Most);
        return new V1ReplicaSet
        {
            ApiVersion = "apps/v1",
            Kind = "ReplicaSet",
            Metadata = new V1ObjectMeta
            {
                Name = $"{deployment.Metadata.Name}-{hash}",
                NamespaceProperty = deployment.Metadata.NamespaceProperty,
                Labels = new Dictionary<string, string>(template.Metadata.Labels, StringComparer.Ordinal),
                Annotations = annotations,
                OwnerReferences = [Ownership.Reference(deployment, "apps/v1", "Deployment")],
            },
            Spec = new V1ReplicaSetSpec
            {
                Replicas = RolloutDecider.NewSize(numbers, sets.Sum(s => s.Spec.Replicas ?? 1), 0),
                MinReadySeconds = deployment.Spec.MinReadySeconds,
                Selector = selector,
                Template = template,
            },
        };
    }

    /// <summary>The patch that gives the current set the highest revision and the Deployment's annotations; null where it has them.</summary>
    public static JsonObject? Revised(V1Deployment deployment, IReadOnlyList<V1ReplicaSet> sets, V1ReplicaSet current)
    {
        var annotations = new JsonObject();
        var others = LastRevision(sets.Where(s => s.Metadata.Uid != current.Metadata.Uid));
        var own = DeploymentNames.RevisionOf(current.Metadata);
        if (own <= others)
        {
            annotations[DeploymentNames.Revision] = Text(others + 1);
            if (own > 0)
            {
                annotations[DeploymentNames.RevisionHistory] = current.Metadata.Annotations?.TryGetValue(DeploymentNames.RevisionHistory, out var history) == true && history.Length > 0
                    ? $"{history},{own}"
                    : Text(own);
            }
        }

        foreach (var (name, value) in DeploymentNames.Inherited(deployment))
        {
            if (current.Metadata.Annotations?.TryGetValue(name, out var has) != true || has != value)
            {
                annotations[name] = value;
            }
        }

        var patch = new JsonObject();
        if (annotations.Count > 0)
        {
            patch["metadata"] = new JsonObject { ["annotations"] = annotations };
        }

        if ((deployment.Spec.MinReadySeconds ?? 0) != (current.Spec.MinReadySeconds ?? 0))
        {
            patch["spec"] = new JsonObject { ["minReadySeconds"] = deployment.Spec.MinReadySeconds ?? 0 };
        }

        return patch.Count > 0 ? patch : null;
    }

    /// <summary>The patch that gives a set its size and the numbers that it was sized by; null where it has them.</summary>
    public static JsonObject? Sized(RolloutNumbers numbers, V1ReplicaSet set, int size)
    {
        var current = set.Spec.Replicas ?? 1;
        var marked = DeploymentNames.Number(set.Metadata, DeploymentNames.DesiredReplicas) == numbers.Replicas
            && DeploymentNames.Number(set.Metadata, DeploymentNames.MaxReplicas) == numbers.Most;

        // Sets without pods keep the numbers of their day.
        if (size == current && (marked || size == 0))
        {
            return null;
        }

        return new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["annotations"] = new JsonObject { [DeploymentNames.DesiredReplicas] = Text(numbers.Replicas), [DeploymentNames.MaxReplicas] = Text(numbers.Most) },
            },
            ["spec"] = new JsonObject { ["replicas"] = size },
        };
    }

    private static long LastRevision(IEnumerable<V1ReplicaSet> sets) => sets.Select(s => DeploymentNames.RevisionOf(s.Metadata)).DefaultIfEmpty().Max();

    private static Dictionary<string, string> With(IDictionary<string, string>? map, string key, string value) =>
        new(map ?? new Dictionary<string, string>(), StringComparer.Ordinal) { [key] = value };

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
