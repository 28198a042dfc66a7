using System.Globalization;
using k8s.Models;
using Podhost.Api.Objects;

namespace Podhost.Control.Controllers.Deployments;

/// <summary>What becomes of a Deployment that is told to go back.</summary>
/// <param name="Deployment">It, without the word that tells so, and with the template of that revision where there is one.</param>
/// <param name="Type">Type of the event.</param>
/// <param name="Reason">Reason of the event.</param>
/// <param name="Message">Message of the event.</param>
internal sealed record RollbackPlan(V1Deployment Deployment, string Type, string Reason, string Message);

/// <summary>
/// The annotation <c>deprecated.deployment.rollback.to</c>: the revision whose template a Deployment shall have again, 0 for the one before.
/// Pure. Source: upstream's rollback.go.
/// </summary>
internal static class Rollback
{
    /// <summary>What to write, or null where nobody asks for it.</summary>
    /// <param name="deployment">The Deployment.</param>
    /// <param name="sets">Its ReplicaSets.</param>
    public static RollbackPlan? Decide(V1Deployment deployment, IReadOnlyList<V1ReplicaSet> sets)
    {
        if (deployment.Metadata.Annotations?.TryGetValue(DeploymentNames.RollbackTo, out var text) != true
            || !long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var revision))
        {
            return null;
        }

        var wanted = revision == 0 ? Before(sets) : revision;
        var found = wanted > 0 ? sets.FirstOrDefault(s => DeploymentNames.RevisionOf(s.Metadata) == wanted) : null;
        var next = ObjectCodec.ToModel<V1Deployment>(ObjectCodec.ToUtf8(deployment));
        next.Metadata.Annotations.Remove(DeploymentNames.RollbackTo);
        if (found is null)
        {
            return new RollbackPlan(next, "Warning", "DeploymentRollbackRevisionNotFound", revision == 0 ? "Unable to find last revision." : "Unable to find the revision to rollback to.");
        }

        if (DeploymentNames.SameTemplate(deployment.Spec.Template, found.Spec.Template))
        {
            return new RollbackPlan(
                next, "Warning", "DeploymentRollbackTemplateUnchanged", $"The rollback revision contains the same template as current deployment \"{deployment.Metadata.Name}\"");
        }

        next.Spec.Template = ObjectCodec.ToModel<V1PodTemplateSpec>(DeploymentNames.WithoutHash(found.Spec.Template));
        next.Metadata.Annotations = DeploymentNames.AnnotationsOf(next.Metadata, found.Metadata);
        return new RollbackPlan(next, "Normal", "DeploymentRollback", $"Rolled back deployment \"{deployment.Metadata.Name}\" to revision {wanted}");
    }

    // The second highest.
    private static long Before(IEnumerable<V1ReplicaSet> sets) =>
        sets.Select(s => DeploymentNames.RevisionOf(s.Metadata)).Where(r => r > 0).Distinct().OrderDescending().Skip(1).FirstOrDefault();
}
