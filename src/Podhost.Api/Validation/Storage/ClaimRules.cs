using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Storage;

/// <summary>PersistentVolumeClaims.</summary>
internal static class ClaimRules
{
    private static readonly string[] AccessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

    public static void CheckSpec(Field spec)
    {
        CheckAccessModes(spec["accessModes"]);
        SelectorRules.Check(spec["selector"]);
        var storage = spec["resources"]["requests"].Key("storage");
        var reported = spec["resources"].Child("[storage]", storage.Node);
        if (!storage.IsSet)
        {
            reported.Required();
        }
        else if (storage.Amount <= default(Quantities.Quantity))
        {
            reported.InvalidText(storage.Amount.ToString(), "must be greater than zero");
        }

        spec["storageClassName"].CheckIfSet(Names.DnsSubdomain);
        spec["volumeMode"].OneOf("Block", "Filesystem");
    }

    /// <summary>accessModes of claims and volumes.</summary>
    public static void CheckAccessModes(Field modes)
    {
        if (modes.Count == 0)
        {
            modes.Required("at least 1 access mode is required");
        }

        foreach (var mode in modes.Items)
        {
            modes.With(mode.Node).OneOf(AccessModes);
        }

        var known = modes.Items.Select(m => m.Text).Where(AccessModes.Contains).ToHashSet(StringComparer.Ordinal);
        if (known.Contains("ReadWriteOncePod") && known.Count > 1)
        {
            modes.Forbidden("may not use ReadWriteOncePod with other access modes");
        }
    }
}
