namespace Podhost.Api.Validation.Pods;

/// <summary>securityContext of a container, and what it shares with the pod's.</summary>
internal static class ContainerSecurityRules
{
    private const int MaxPath = 4095;

    public static void Check(Field context, bool hostUsers)
    {
        if (!context.IsSet)
        {
            return;
        }

        CheckIds(context);
        var proc = context["procMount"];
        proc.OneOf("Default", "Unmasked");
        if (hostUsers && proc.Text == "Unmasked")
        {
            proc.Invalid("`hostUsers` must be false to use `Unmasked`");
        }

        CheckSeccomp(context["seccompProfile"]);
        if (context["allowPrivilegeEscalation"].IsFalse)
        {
            if (context["privileged"].Flag)
            {
                context.Invalid("cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
            }

            if (context["capabilities"]["add"].Items.Any(c => c.Text == "CAP_SYS_ADMIN"))
            {
                context.Invalid("cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
            }
        }

        CheckAppArmor(context["appArmorProfile"]);
    }

    /// <summary>runAsUser and runAsGroup.</summary>
    public static void CheckIds(Field context)
    {
        context["runAsUser"].InRange(0, int.MaxValue);
        context["runAsGroup"].InRange(0, int.MaxValue);
    }

    public static void CheckSeccomp(Field profile)
    {
        if (!profile.IsSet)
        {
            return;
        }

        if (profile["type"].Text.Length == 0)
        {
            profile["type"].Required("type is required when seccompProfile is set");
        }
        else
        {
            profile["type"].OneOf("Localhost", "RuntimeDefault", "Unconfined");
        }

        var path = profile["localhostProfile"];
        if (profile["type"].Text != "Localhost")
        {
            if (path.IsSet)
            {
                path.With(profile.Node).Invalid("can only be set when seccomp type is Localhost");
            }
        }
        else if (!path.IsSet)
        {
            path.Required("must be set when seccomp type is Localhost");
        }
        else
        {
            path.Check(Names.Descending);
        }
    }

    public static void CheckAppArmor(Field profile)
    {
        if (!profile.IsSet)
        {
            return;
        }

        var (type, path) = (profile["type"], profile["localhostProfile"]);
        switch (type.Text)
        {
            case "Localhost":
                CheckAppArmorName(path);
                break;
            case "RuntimeDefault" or "Unconfined":
                if (path.IsSet)
                {
                    path.Invalid("can only be set when AppArmor type is Localhost");
                }

                break;
            case "":
                type.Required("type is required when appArmorProfile is set");
                break;
            default:
                type.OneOf("Localhost", "RuntimeDefault", "Unconfined");
                break;
        }
    }

    private static void CheckAppArmorName(Field name)
    {
        if (name.Text.Length == 0)
        {
            name.Required("must be set when AppArmor type is Localhost");
        }
        else if (name.Text.Trim() != name.Text)
        {
            name.Invalid("must not be padded with whitespace");
        }

        if (name.Text.Length > MaxPath)
        {
            name.TooLong(MaxPath);
        }
    }
}
