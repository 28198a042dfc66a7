using System.Text.Json.Nodes;
using Podhost.Api.Validation.Metadata;
using Podhost.Api.Validation.Pods;

namespace Podhost.Api.Validation.Storage;

/// <summary>PersistentVolumes and claims as objects.</summary>
internal static class VolumeObjectRules
{
    private static readonly string[] NotSources =
        ["accessModes", "capacity", "claimRef", "mountOptions", "nodeAffinity", "persistentVolumeReclaimPolicy", "storageClassName", "volumeAttributesClassName", "volumeMode"];

    public static void CheckVolume(Field volume)
    {
        ObjectMetaRules.CheckCreate(volume["metadata"], namespaced: false, Names.DnsSubdomain);
        var spec = volume["spec"];
        ClaimRules.CheckAccessModes(spec["accessModes"]);
        CheckCapacity(spec["capacity"]);
        var sources = spec.Entries.Where(e => !NotSources.Contains(e.Key)).ToList();
        if (sources.Count == 0)
        {
            spec.Required("must specify a volume type");
        }

        foreach (var (_, source) in sources.Skip(1))
        {
            source.Forbidden("may not specify more than 1 volume type");
        }

        CheckLocal(spec);
        spec["persistentVolumeReclaimPolicy"].OneOf("Delete", "Recycle", "Retain");
        spec["storageClassName"].CheckIfSet(Names.DnsSubdomain);
        spec["volumeMode"].OneOf("Block", "Filesystem");
    }

    public static void UpdateVolume(Field volume, Field old, string subresource)
    {
        ObjectMetaRules.CheckUpdate(volume["metadata"], old["metadata"]);
        if (subresource.Length > 0)
        {
            return;
        }

        CheckVolume(volume);
        volume["spec"].Child("volumeMode", volume["spec"]["volumeMode"].Node).Unchanged(old["spec"]["volumeMode"].Node);
        if (volume["spec"].Entries.Where(e => !NotSources.Contains(e.Key)).Any(e => !JsonNode.DeepEquals(e.Value.Node, old["spec"][e.Key].Node)))
        {
            volume["spec"].Child("persistentvolumesource", null).Forbidden(
                "spec.persistentvolumesource is immutable after creation\n" + SpecDifference.Describe(old["spec"].Node, volume["spec"].Node));
        }
    }

    public static void CheckClaim(Field claim)
    {
        ObjectMetaRules.CheckCreate(claim["metadata"], namespaced: true, Names.DnsSubdomain);
        ClaimRules.CheckSpec(claim["spec"]);
    }

    public static void UpdateClaim(Field claim, Field old, string subresource)
    {
        ObjectMetaRules.CheckUpdate(claim["metadata"], old["metadata"]);
        if (subresource.Length > 0)
        {
            return;
        }

        CheckClaim(claim);
        var (spec, oldSpec) = ((JsonObject)claim["spec"].Node!.DeepClone(), (JsonObject)old["spec"].Node!.DeepClone());
        foreach (var field in (string[])["volumeName", "storageClassName"])
        {
            // May be set once.
            if (oldSpec[field] is null)
            {
                spec.Remove(field);
            }
        }

        if (old["status"]["phase"].Text == "Bound")
        {
            foreach (var field in (string[])["resources", "volumeAttributesClassName"])
            {
                spec.Remove(field);
                oldSpec.Remove(field);
            }
        }

        if (!JsonNode.DeepEquals(spec, oldSpec))
        {
            claim["spec"].Forbidden("spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n"
                + SpecDifference.Describe(oldSpec, spec));
        }

        var storage = claim["spec"]["resources"]["requests"]["storage"];
        if (storage.Amount < old["spec"]["resources"]["requests"]["storage"].Amount && storage.Amount <= old["status"]["capacity"]["storage"].Amount)
        {
            storage.Forbidden("field can not be less than status.capacity");
        }
    }

    private static void CheckCapacity(Field capacity)
    {
        if (capacity.Count == 0)
        {
            capacity.Required();
        }
        else if (!capacity.Key("storage").IsSet || capacity.Count > 1)
        {
            capacity.Add(new FieldError(capacity.Path, "FieldValueNotSupported", $"Unsupported value: {Field.Printed(capacity.Node)}: supported values: \"storage\""));
        }
        else if (capacity.Key("storage").Amount <= default(Quantities.Quantity))
        {
            capacity.Key("storage").InvalidText(capacity.Key("storage").Amount.ToString(), "must be greater than zero");
        }
    }

    private static void CheckLocal(Field spec)
    {
        if (spec["local"].IsSet)
        {
            spec["local"]["path"].CheckRequired(Names.NoBacksteps);
            if (!spec["nodeAffinity"].IsSet)
            {
                spec.Child("nodeAffinity", null).Required("Local volume requires node affinity");
            }
        }

        if (spec["hostPath"].IsSet)
        {
            spec["hostPath"]["path"].CheckRequired(Names.NoBacksteps);
        }

        if (spec["nodeAffinity"].IsSet)
        {
            if (!spec["nodeAffinity"]["required"].IsSet)
            {
                spec["nodeAffinity"]["required"].Required("must specify required node constraints");
            }
            else
            {
                AffinityRules.CheckNodeSelector(spec["nodeAffinity"]["required"]);
            }
        }
    }
}
