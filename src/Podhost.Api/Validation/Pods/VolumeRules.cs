namespace Podhost.Api.Validation.Pods;

/// <summary>spec.volumes: names, and exactly one source each.</summary>
internal static class VolumeRules
{
    // In upstream's order: the first source counts, the others are named as too many.
    private static readonly string[] Sources =
    [
        "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi", "glusterfs", "flocker",
        "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc", "flexVolume", "configMap", "azureFile",
        "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "storageos", "projected", "scaleIO", "csi", "ephemeral", "image",
    ];

    private static readonly string[] HostPathTypes =
        ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];

    /// <summary>Checks the volumes; returns the valid ones, which containers may mount.</summary>
    public static Dictionary<string, Field> Check(Field volumes, Field spec, string podName)
    {
        var valid = new Dictionary<string, Field>(StringComparer.Ordinal);
        foreach (var volume in volumes.Items)
        {
            var faults = new List<FieldError>();
            CheckOne(volume.Into(faults), podName);
            var name = volume["name"].Text;
            if (valid.ContainsKey(name))
            {
                faults.Add(FieldError.Duplicate(volume["name"].Path, name));
            }

            if (faults.Count == 0)
            {
                valid[name] = volume;
            }

            faults.ForEach(volume.Add);
        }

        CheckTokens(volumes, spec);
        return valid;
    }

    private static void CheckOne(Field volume, string podName)
    {
        var count = 0;
        foreach (var kind in Sources.Where(s => volume[s].IsSet))
        {
            var source = volume[kind];
            if (count++ > 0)
            {
                source.Forbidden("may not specify more than 1 volume type");
            }
            else
            {
                CheckSource(kind, source, volume, podName);
            }
        }

        if (count == 0)
        {
            volume.Required("must specify a volume type");
        }

        volume["name"].CheckRequired(Names.DnsLabel);
    }

    private static void CheckSource(string kind, Field source, Field volume, string podName)
    {
        switch (kind)
        {
            case "emptyDir" when source["sizeLimit"].Amount < default(Quantities.Quantity):
                source["sizeLimit"].Forbidden("SizeLimit field must be a valid resource quantity");
                break;
            case "hostPath":
                CheckHostPath(source);
                break;
            case "persistentVolumeClaim":
                Require(source["claimName"]);
                break;
            case "ephemeral":
                CheckEphemeral(source, volume, podName);
                break;
            case "image":
                Require(source["reference"]);
                source["pullPolicy"].RequiredOneOf("Always", "IfNotPresent", "Never");
                break;
            case "nfs":
                CheckNfs(source);
                break;
            case "secret":
                FileVolumeRules.CheckObject(source, source["secretName"]);
                break;
            case "configMap":
                FileVolumeRules.CheckObject(source, source["name"]);
                break;
            case "downwardAPI":
                FileVolumeRules.CheckDownwardApi(source);
                break;
            case "projected":
                FileVolumeRules.CheckProjected(source);
                break;
        }
    }

    private static void CheckHostPath(Field source)
    {
        if (source["path"].Text.Length == 0)
        {
            source["path"].Required();
            return;
        }

        source["path"].Check(Names.NoBacksteps);
        source["type"].OneOf(HostPathTypes);
    }

    private static void CheckNfs(Field source)
    {
        Require(source["server"]);
        Require(source["path"]);
        if (source["path"].Text is { Length: > 0 } path && path[0] != '/')
        {
            source["path"].Invalid("must be an absolute path");
        }
    }

    private static void CheckEphemeral(Field source, Field volume, string podName)
    {
        if (!source["volumeClaimTemplate"].IsSet)
        {
            source["volumeClaimTemplate"].Required();
            return;
        }

        Storage.ClaimRules.CheckSpec(source["volumeClaimTemplate"]["spec"]);
        var claim = $"{podName}-{volume["name"].Text}";
        foreach (var fault in Names.DnsSubdomain(claim))
        {
            volume["name"].Invalid($"PVC name \"{claim}\": {fault}");
        }
    }

    private static void CheckTokens(Field volumes, Field spec)
    {
        if (spec["serviceAccountName"].Text.Length > 0)
        {
            return;
        }

        foreach (var token in volumes.Items.SelectMany(v => v["projected"]["sources"].Items).Select(s => s["serviceAccountToken"]).Where(t => t.IsSet))
        {
            token.Forbidden("must not be specified when serviceAccountName is not set");
        }
    }

    private static void Require(Field field)
    {
        if (field.Text.Length == 0)
        {
            field.Required();
        }
    }
}
