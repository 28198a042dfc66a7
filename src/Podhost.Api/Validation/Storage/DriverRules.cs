using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Storage;

/// <summary>What describes storage drivers and their work: CSIDrivers, CSINodes, capacities, attachments, classes of attributes.</summary>
/// <remarks>Source: upstream's pkg/apis/storage/validation.</remarks>
internal static class DriverRules
{
    private const int MaxDriverName = 63;

    public static void CreateDriver(Field driver)
    {
        ObjectMetaRules.CheckCreate(driver["metadata"], namespaced: false, Names.DnsSubdomain);
        CheckDriverName(driver["metadata"]["name"]);
        var spec = driver["spec"];
        foreach (var mode in spec["volumeLifecycleModes"].Items)
        {
            mode.OneOf("Ephemeral", "Persistent");
        }

        spec["fsGroupPolicy"].OneOf("File", "None", "ReadWriteOnceWithFSType");
        if (spec["serviceAccountTokenInSecrets"].IsSet && spec["tokenRequests"].Count == 0)
        {
            spec["serviceAccountTokenInSecrets"].Invalid("serviceAccountTokenInSecrets can only be set when tokenRequests is configured");
        }
    }

    public static void UpdateDriver(Field driver, Field old)
    {
        ObjectMetaRules.CheckUpdate(driver["metadata"], old["metadata"]);
        CreateDriver(driver);
        driver["spec"]["attachRequired"].Unchanged(old["spec"]["attachRequired"].Node);
        driver["spec"]["volumeLifecycleModes"].Unchanged(old["spec"]["volumeLifecycleModes"].Node);
    }

    public static void CheckNode(Field node)
    {
        ObjectMetaRules.CheckCreate(node["metadata"], namespaced: false, Names.DnsSubdomain);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var driver in node["spec"]["drivers"].Items)
        {
            CheckDriverName(driver["name"]);
            if (driver["nodeID"].Text.Length == 0)
            {
                driver["nodeID"].Required();
            }

            if (!names.Add(driver["name"].Text))
            {
                driver["name"].Duplicate();
            }
        }
    }

    public static void UpdateNode(Field node, Field old)
    {
        ObjectMetaRules.CheckUpdate(node["metadata"], old["metadata"]);
        CheckNode(node);
    }

    public static void CheckCapacity(Field capacity)
    {
        ObjectMetaRules.CheckCreate(capacity["metadata"], namespaced: true, Names.DnsSubdomain);
        capacity["storageClassName"].Check(Names.DnsSubdomain);
        if (capacity["nodeTopology"].IsSet)
        {
            SelectorRules.Check(capacity["nodeTopology"]);
        }

        foreach (var amount in (ReadOnlySpan<string>)["capacity", "maximumVolumeSize"])
        {
            if (capacity[amount].IsSet && capacity[amount].Amount.Sign < 0)
            {
                capacity[amount].Invalid("must be greater than or equal to 0");
            }
        }
    }

    public static void UpdateCapacity(Field capacity, Field old)
    {
        ObjectMetaRules.CheckUpdate(capacity["metadata"], old["metadata"]);
        CheckCapacity(capacity);
        capacity["nodeTopology"].Unchanged(old["nodeTopology"].Node);
        capacity["storageClassName"].Unchanged(old["storageClassName"].Node);
    }

    public static void CheckAttachment(Field attachment)
    {
        ObjectMetaRules.CheckCreate(attachment["metadata"], namespaced: false, Names.DnsSubdomain);
        var (spec, source) = (attachment["spec"], attachment["spec"]["source"]);
        CheckDriverName(spec["attacher"]);
        if (spec["nodeName"].Text.Length == 0)
        {
            spec["nodeName"].Required("must specify a node name");
        }

        var (named, inline) = (source["persistentVolumeName"], source["inlineVolumeSpec"]);
        if (!named.IsSet && !inline.IsSet)
        {
            source.Required("must specify exactly one of inlineVolumeSpec and persistentVolumeName");
        }
        else if (named.IsSet && inline.IsSet)
        {
            source.Forbidden("must specify exactly one of inlineVolumeSpec and persistentVolumeName");
        }
    }

    public static void UpdateAttachment(Field attachment, Field old, string subresource)
    {
        ObjectMetaRules.CheckUpdate(attachment["metadata"], old["metadata"]);
        if (subresource.Length == 0)
        {
            CheckAttachment(attachment);
            attachment["spec"].Unchanged(old["spec"].Node);
        }
    }

    public static void CheckAttributes(Field attributes)
    {
        ObjectMetaRules.CheckCreate(attributes["metadata"], namespaced: false, Names.DnsSubdomain);
        CheckDriverName(attributes["driverName"]);
        if (attributes["parameters"].Count == 0)
        {
            attributes["parameters"].Required("must contain at least one key/value pair");
        }
    }

    public static void UpdateAttributes(Field attributes, Field old)
    {
        ObjectMetaRules.CheckUpdate(attributes["metadata"], old["metadata"]);
        CheckAttributes(attributes);
        attributes["driverName"].Unchanged(old["driverName"].Node);
        attributes["parameters"].Unchanged(old["parameters"].Node);
    }

    private static void CheckDriverName(Field name)
    {
        if (name.Text.Length == 0)
        {
            name.Required();
            return;
        }

        if (name.Text.Length > MaxDriverName)
        {
            name.TooLong(MaxDriverName);
        }

        name.Check(name.Text.ToLowerInvariant(), Names.DnsSubdomain);
    }
}
