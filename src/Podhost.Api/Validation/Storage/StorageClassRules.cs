using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Storage;

/// <summary>StorageClasses. Source: upstream's pkg/apis/storage/validation.</summary>
internal static class StorageClassRules
{
    public static void Create(Field storageClass)
    {
        ObjectMetaRules.CheckCreate(storageClass["metadata"], namespaced: false, Names.DnsSubdomain);
        Check(storageClass);
    }

    public static void Update(Field storageClass, Field old)
    {
        ObjectMetaRules.CheckUpdate(storageClass["metadata"], old["metadata"]);
        Check(storageClass);
        foreach (var field in (string[])["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"])
        {
            storageClass[field].Unchanged(old[field].Node);
        }
    }

    private static void Check(Field storageClass)
    {
        if (storageClass["provisioner"].Text.Length == 0)
        {
            storageClass["provisioner"].Required();
        }

        storageClass["reclaimPolicy"].OneOf("Delete", "Retain");
        storageClass["volumeBindingMode"].OneOf("Immediate", "WaitForFirstConsumer");
    }
}
