namespace Podhost.Api.Validation.Pods;

/// <summary>volumeMounts and volumeDevices of a container.</summary>
internal static class MountRules
{
    public static void Check(Field container, PodScope pod)
    {
        var mounts = container["volumeMounts"];
        var devices = container["volumeDevices"];
        var paths = new HashSet<string>(StringComparer.Ordinal);
        foreach (var mount in mounts.Items)
        {
            CheckMount(mount, pod, paths);
            CheckOverlap(mount["name"], mount["mountPath"], devices, "devicePath", "volumeDevices");
            CheckSubPaths(mounts, mount, pod);
            CheckPropagation(mounts, mount, container);
        }

        CheckDevices(devices, mounts, pod);
    }

    private static void CheckMount(Field mount, PodScope pod, HashSet<string> paths)
    {
        var (name, path) = (mount["name"], mount["mountPath"]);
        if (name.Text.Length == 0)
        {
            name.Required();
        }

        if (!pod.Volumes.ContainsKey(name.Text))
        {
            name.Add(FieldError.NotFound(name.Path, name.Text));
        }

        if (path.Text.Length == 0)
        {
            path.Required();
        }

        if (!paths.Add(path.Text))
        {
            path.InvalidText(path.Text, "must be unique");
        }
    }

    private static void CheckSubPaths(Field mounts, Field mount, PodScope pod)
    {
        var (path, expression) = (mount["subPath"], mount["subPathExpr"]);

        // Upstream leaves the item's index out.
        if (path.Text.Length > 0)
        {
            mounts.Child("subPath", path.Node).Check(Names.Descending);
        }

        if (expression.Text.Length > 0)
        {
            if (path.Text.Length > 0)
            {
                expression.Invalid("subPathExpr and subPath are mutually exclusive");
            }

            mounts.Child("subPathExpr", expression.Node).Check(Names.Descending);
        }
    }

    private static void CheckPropagation(Field mounts, Field mount, Field container)
    {
        var propagation = mounts.Child("mountPropagation", mount["mountPropagation"].Node);
        propagation.OneOf("Bidirectional", "HostToContainer", "None");
        if (propagation.Text == "Bidirectional" && !container["securityContext"]["privileged"].Flag)
        {
            propagation.Forbidden("Bidirectional mount propagation is available only to privileged containers");
        }

        var recursive = mounts.Child("recursiveReadOnly", mount["recursiveReadOnly"].Node);
        recursive.OneOf("Disabled", "Enabled", "IfPossible");
        if (recursive.Text is "Enabled" or "IfPossible")
        {
            if (!mount["readOnly"].Flag)
            {
                recursive.Forbidden("may only be specified when readOnly is true");
            }

            if (propagation.Text is not ("" or "None"))
            {
                recursive.Forbidden("may only be specified when mountPropagation is None or not specified");
            }
        }
    }

    private static void CheckDevices(Field devices, Field mounts, PodScope pod)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var paths = new HashSet<string>(StringComparer.Ordinal);
        foreach (var device in devices.Items)
        {
            var (name, path) = (device["name"], device["devicePath"]);
            if (name.Text.Length == 0)
            {
                name.Required();
            }
            else if (!names.Add(name.Text))
            {
                name.Invalid("must be unique");
            }

            if (!pod.Volumes.TryGetValue(name.Text, out var volume))
            {
                name.NotFound();
            }
            else if (!volume["persistentVolumeClaim"].IsSet && !volume["ephemeral"].IsSet)
            {
                name.Invalid("can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
            }

            CheckDevicePath(path, paths);
            CheckOverlap(name, path, mounts, "mountPath", "volumeMounts");
        }
    }

    private static void CheckDevicePath(Field path, HashSet<string> paths)
    {
        if (path.Text.Length == 0)
        {
            path.Required();
            return;
        }

        if (!paths.Add(path.Text))
        {
            path.Invalid("must be unique");
        }

        if (Names.NoBacksteps(path.Text).Any())
        {
            path.Invalid("can not contain backsteps ('..')");
        }
    }

    private static void CheckOverlap(Field name, Field path, Field others, string otherPath, string list)
    {
        if (others.Items.Any(o => o["name"].Text == name.Text))
        {
            name.Invalid($"must not already exist in {list}");
        }

        if (others.Items.Any(o => o[otherPath].Text == path.Text))
        {
            path.Invalid($"must not already exist as a path in {list}");
        }
    }
}
