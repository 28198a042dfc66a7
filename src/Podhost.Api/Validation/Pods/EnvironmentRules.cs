namespace Podhost.Api.Validation.Pods;

/// <summary>env and envFrom of a container.</summary>
internal static class EnvironmentRules
{
    private static readonly string[] Sources = ["fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef"];

    public static void Check(Field container, PodScope pod)
    {
        foreach (var variable in container["env"].Items)
        {
            variable["name"].CheckRequired(Names.EnvironmentVariable);
            if (variable["valueFrom"].IsSet)
            {
                CheckValueFrom(variable, pod);
            }
        }

        CheckEnvFrom(container["envFrom"]);
    }

    private static void CheckValueFrom(Field variable, PodScope pod)
    {
        var from = variable["valueFrom"];
        if (from["fieldRef"].IsSet)
        {
            FieldReferenceRules.CheckField(from["fieldRef"], FieldReferenceRules.EnvironmentFields);
        }

        if (from["resourceFieldRef"].IsSet)
        {
            FieldReferenceRules.CheckResource(from["resourceFieldRef"], inVolume: false);
        }

        foreach (var selector in (Field[])[from["configMapKeyRef"], from["secretKeyRef"]])
        {
            if (selector.IsSet)
            {
                selector["name"].Check(Names.DnsSubdomain);
                selector["key"].CheckRequired(Names.ConfigKey);
            }
        }

        if (from["fileKeyRef"].IsSet)
        {
            CheckFileKey(from["fileKeyRef"], pod);
        }

        var count = Sources.Count(s => from[s].IsSet);
        if (count == 0)
        {
            from.InvalidText("", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`");
        }
        else if (variable["value"].Text.Length > 0)
        {
            from.InvalidText("", "may not be specified when `value` is not empty");
        }
        else if (count > 1)
        {
            from.InvalidText("", "may not have more than one field specified at a time");
        }
    }

    private static void CheckFileKey(Field reference, PodScope pod)
    {
        reference["key"].CheckRequired(Names.EnvironmentVariable);
        var name = reference["volumeName"];
        if (name.Text.Length == 0)
        {
            name.Required();
        }
        else if (!pod.Volumes.TryGetValue(name.Text, out var volume))
        {
            name.NotFound();
        }
        else if (!volume["emptyDir"].IsSet)
        {
            name.Invalid("referenced volume must be of type emptyDir");
        }

        reference["path"].CheckRequired(Names.NotReserved);
    }

    private static void CheckEnvFrom(Field sources)
    {
        foreach (var source in sources.Items)
        {
            source["prefix"].CheckIfSet(Names.EnvironmentVariable);
            var count = 0;
            foreach (var reference in (Field[])[source["configMapRef"], source["secretRef"]])
            {
                if (reference.IsSet)
                {
                    count++;
                    reference["name"].CheckRequired(Names.Prefix(Names.DnsSubdomain));
                }
            }

            // Upstream names the list, not the item.
            if (count == 0)
            {
                sources.InvalidText("", "must specify one of: `configMapRef` or `secretRef`");
            }
            else if (count > 1)
            {
                sources.InvalidText("", "may not have more than one field specified at a time");
            }
        }
    }
}
