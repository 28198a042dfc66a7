using System.Text.Json.Nodes;

namespace Podhost.ApiServer.Registry.Namespaces;

/// <summary>A namespace is first marked as Terminating; it goes when its content is gone and spec.finalizers are empty.</summary>
internal static class NamespaceDeletion
{
    public static DeletionStep Decide(JsonObject obj, DeletionOptions options, ResourceStrategy strategy, DateTimeOffset now)
    {
        var finalizers = NamespaceStrategy.SpecFinalizers(obj).Count > 0;
        if (Meta.IsDeleting(obj))
        {
            return finalizers ? DeletionStep.Pending : DeletionRules.Decide(obj, options, strategy, now);
        }

        if (!finalizers)
        {
            return DeletionRules.Decide(obj, options, strategy, now);
        }

        Meta.Of(obj)["deletionTimestamp"] = Meta.Time(now);
        Meta.Child(obj, "status")["phase"] = "Terminating";
        return DeletionStep.Mark;
    }
}
