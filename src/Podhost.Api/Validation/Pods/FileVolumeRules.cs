using System.Text.Json.Nodes;

namespace Podhost.Api.Validation.Pods;

/// <summary>Volumes that the kubelet fills with files: secret, configMap, downwardAPI, projected.</summary>
internal static class FileVolumeRules
{
    private const long MinTokenSeconds = 600;
    private const long MaxTokenSeconds = 1L << 32;

    public static void CheckDownwardApi(Field source)
    {
        CheckMode(source["defaultMode"]);
        foreach (var item in source["items"].Items)
        {
            // Upstream leaves the item's index out.
            CheckDownward(source.With(item.Node));
        }
    }

    public static void CheckProjected(Field source)
    {
        CheckMode(source["defaultMode"]);
        var paths = new HashSet<string>(StringComparer.Ordinal);
        foreach (var projection in source["sources"].Items)
        {
            CheckProjection(projection, source, paths);
        }
    }

    public static void CheckObject(Field source, Field name)
    {
        if (name.Text.Length == 0)
        {
            name.Required();
        }

        CheckMode(source["defaultMode"]);
        foreach (var item in source["items"].Items)
        {
            CheckKeyToPath(item);
        }
    }

    private static void CheckProjection(Field projection, Field projected, HashSet<string> paths)
    {
        var kinds = 0;
        foreach (var kind in (string[])["secret", "configMap"])
        {
            var source = projection[kind];
            if (!source.IsSet)
            {
                continue;
            }

            kinds++;
            if (source["name"].Text.Length == 0)
            {
                source["name"].Required();
            }

            foreach (var item in source["items"].Items)
            {
                CheckKeyToPath(item);
                Unique(item["path"], projected, paths, source["name"].Text);
            }
        }

        if (projection["downwardAPI"] is { IsSet: true } downward)
        {
            kinds++;
            foreach (var item in downward["items"].Items)
            {
                CheckDownward(downward.With(item.Node));
                Unique(item["path"], projected, paths, null);
            }
        }

        if (projection["serviceAccountToken"] is { IsSet: true } token)
        {
            kinds++;
            CheckToken(token, projected);
        }

        if (projection["clusterTrustBundle"] is { IsSet: true } bundle)
        {
            kinds++;
            CheckTrustBundle(bundle);
            Unique(bundle["path"], projected, paths, null);
        }

        kinds += projection["podCertificate"].IsSet ? 1 : 0;
        if (kinds > 1)
        {
            projection.Forbidden("may not specify more than 1 volume type per source");
        }
    }

    private static void CheckToken(Field token, Field projected)
    {
        var seconds = token["expirationSeconds"];
        if (seconds.Number < MinTokenSeconds)
        {
            seconds.Invalid("may not specify a duration less than 10 minutes");
        }

        if (seconds.Number > MaxTokenSeconds)
        {
            seconds.Invalid("may not specify a duration larger than 2^32 seconds");
        }

        projected.Child("path", token["path"].Node).CheckRequired(Names.NotReserved);
    }

    private static void CheckTrustBundle(Field bundle)
    {
        var (byName, bySigner) = (bundle["name"].IsSet, bundle["signerName"].IsSet);
        if (byName && bySigner)
        {
            bundle.Invalid("only one of name and signerName may be used");
        }
        else if (!byName && !bySigner)
        {
            bundle.Required("either name or signerName must be specified");
        }
        else if (byName && bundle["labelSelector"].IsSet)
        {
            bundle["labelSelector"].Invalid("labelSelector must be unset if name is specified");
        }
        else
        {
            Metadata.SelectorRules.Check(bundle["labelSelector"]);
        }

        bundle["path"].CheckRequired(Names.NotReserved);
    }

    private static void CheckKeyToPath(Field item)
    {
        if (item["key"].Text.Length == 0)
        {
            item["key"].Required();
        }

        item["path"].CheckRequired(Names.NotReserved);
        CheckMode(item["mode"]);
    }

    private static void CheckDownward(Field item)
    {
        item["path"].CheckRequired(Names.NotReserved);
        if (item["fieldRef"].IsSet)
        {
            FieldReferenceRules.CheckField(item["fieldRef"], FieldReferenceRules.VolumeFields);
            if (item["resourceFieldRef"].IsSet)
            {
                item["resource"].Invalid("fieldRef and resourceFieldRef can not be specified simultaneously");
            }
        }
        else if (item["resourceFieldRef"].IsSet)
        {
            FieldReferenceRules.CheckResource(item["resourceFieldRef"], inVolume: true);
        }
        else
        {
            item["fieldRef"].Required("one of fieldRef and resourceFieldRef is required");
        }

        CheckMode(item["mode"]);
    }

    private static void CheckMode(Field mode)
    {
        if (mode.IsSet && mode.Number is < 0 or > 511)
        {
            mode.Invalid("must be a number between 0 and 0777 (octal), both inclusive");
        }
    }

    private static void Unique(Field path, Field projected, HashSet<string> paths, string? source)
    {
        if (path.Text.Length > 0 && !paths.Add(path.Text))
        {
            projected.With(source is null ? path.Node : (JsonNode)source).Invalid("conflicting duplicate paths");
        }
    }
}
