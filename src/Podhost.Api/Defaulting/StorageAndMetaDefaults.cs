using System.Text.Json.Nodes;

namespace Podhost.Api.Defaulting;

/// <summary>Defaults of volumes, claims and namespaces.</summary>
internal static class StorageAndMetaDefaults
{
    private const string NameLabel = "kubernetes.io/metadata.name";

    public static void ApplyToNamespace(JsonObject ns)
    {
        if (Defaults.Child(ns, "metadata") is { } metadata && Defaults.Text(metadata, "name") is { Length: > 0 } name)
        {
            Defaults.Ensure(metadata, "labels")[NameLabel] = name;
        }

        Defaults.SetText(Defaults.Ensure(ns, "status"), "phase", "Active");
    }

    public static void ApplyToPersistentVolume(JsonObject volume)
    {
        var spec = Defaults.Ensure(volume, "spec");
        Defaults.SetText(spec, "persistentVolumeReclaimPolicy", "Retain");
        Defaults.Set(spec, "volumeMode", "Filesystem");
        if (Defaults.Child(spec, "hostPath") is { } hostPath)
        {
            Defaults.Set(hostPath, "type", "");
        }

        Defaults.SetText(Defaults.Ensure(volume, "status"), "phase", "Pending");
    }

    public static void ApplyToStorageClass(JsonObject storageClass)
    {
        Defaults.Set(storageClass, "reclaimPolicy", "Delete");
        Defaults.Set(storageClass, "volumeBindingMode", "Immediate");
    }

    public static void ApplyToDriver(JsonObject driver)
    {
        var spec = Defaults.Ensure(driver, "spec");
        Defaults.Set(spec, "attachRequired", true);
        Defaults.Set(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
        foreach (var field in (ReadOnlySpan<string>)["podInfoOnMount", "requiresRepublish", "seLinuxMount", "storageCapacity"])
        {
            Defaults.Set(spec, field, false);
        }

        if (spec["volumeLifecycleModes"] is not JsonArray { Count: > 0 })
        {
            spec["volumeLifecycleModes"] = new JsonArray("Persistent");
        }
    }

    public static void ApplyToClaim(JsonObject claim)
    {
        Defaults.Set(Defaults.Ensure(claim, "spec"), "volumeMode", "Filesystem");
        Defaults.SetText(Defaults.Ensure(claim, "status"), "phase", "Pending");
    }
}
