using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Core;

/// <summary>Namespaces.</summary>
internal static class NamespaceRules
{
    public static void Create(Field ns)
    {
        ObjectMetaRules.CheckCreate(ns["metadata"], namespaced: false, Names.DnsLabel);
        CheckFinalizers(ns["spec"]["finalizers"]);
    }

    public static void Update(Field ns, Field old, string subresource)
    {
        ObjectMetaRules.CheckUpdate(ns["metadata"], old["metadata"]);
        switch (subresource)
        {
            case "status":
                CheckPhase(ns);
                break;
            case "finalize":
                CheckFinalizers(ns["spec"]["finalizers"]);
                break;
        }
    }

    private static void CheckPhase(Field ns)
    {
        var phase = ns["status"].Child("Phase", ns["status"]["phase"].Node);
        var deleting = ns["metadata"]["deletionTimestamp"].IsSet;
        if (!deleting && phase.Text != "Active")
        {
            phase.InvalidText(phase.Text, "may only be 'Active' if `deletionTimestamp` is empty");
        }
        else if (deleting && phase.Text != "Terminating")
        {
            phase.InvalidText(phase.Text, "may only be 'Terminating' if `deletionTimestamp` is not empty");
        }
    }

    private static void CheckFinalizers(Field finalizers)
    {
        foreach (var finalizer in finalizers.Items)
        {
            finalizer.Check(Names.Qualified);
            ObjectMetaRules.CheckFinalizer(finalizer);
        }
    }
}
