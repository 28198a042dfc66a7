using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Workloads;

/// <summary>ControllerRevisions: what they hold never changes. Source: upstream's ValidateControllerRevision.</summary>
internal static class ControllerRevisionRules
{
    public static void Create(Field revision)
    {
        ObjectMetaRules.CheckCreate(revision["metadata"], namespaced: true, Names.DnsSubdomain);
        Check(revision);
    }

    public static void Update(Field revision, Field old)
    {
        ObjectMetaRules.CheckUpdate(revision["metadata"], old["metadata"]);
        Check(revision);
        revision["data"].Unchanged(old["data"].Node);
    }

    private static void Check(Field revision)
    {
        if (!revision["data"].IsSet)
        {
            revision["data"].Required("data is mandatory");
        }

        revision["revision"].NotNegative();
    }
}
