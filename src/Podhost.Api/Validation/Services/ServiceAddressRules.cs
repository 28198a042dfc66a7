namespace Podhost.Api.Validation.Services;

/// <summary>clusterIP, clusterIPs and IP families of a Service.</summary>
internal static class ServiceAddressRules
{
    public static void Check(Field spec)
    {
        if (spec["type"].Text == "ExternalName")
        {
            return;
        }

        CheckFamilies(spec);
        var (primary, addresses) = (spec["clusterIP"], spec["clusterIPs"]);
        if (primary.Text.Length == 0 && addresses.Count > 0)
        {
            addresses.Invalid("must be empty when `clusterIP` is not specified");
        }
        else if (addresses.Count > 0 && addresses.At(0).Text != primary.Text)
        {
            addresses.Invalid("first value must match `clusterIP`");
        }

        if (addresses.Count == 0)
        {
            if (primary.Text is not ("" or "None"))
            {
                primary.Check(Names.Ip);
            }

            return;
        }

        CheckAddresses(addresses);
    }

    /// <summary>What a service was given stays, unless it stops or begins to be an ExternalName.</summary>
    public static void CheckUpdate(Field spec, Field old)
    {
        if (spec["type"].Text == "ExternalName" || old["type"].Text == "ExternalName")
        {
            return;
        }

        var (had, now) = (old["clusterIPs"].At(0).Text, spec["clusterIPs"].At(0).Text);
        if (had.Length > 0 && had != now)
        {
            if (now.Length == 0)
            {
                spec["clusterIPs"].At(0).InvalidAs(Field.Printed(spec["clusterIPs"].Node), "primary clusterIP can not be unset");
            }
            else
            {
                spec["clusterIPs"].At(0).InvalidAs(Field.Printed(spec["clusterIPs"].Node), "may not change once set");
            }
        }

        var family = old["ipFamilies"].At(0).Text;
        if (family.Length > 0 && spec["ipFamilies"].Count > 0 && spec["ipFamilies"].At(0).Text != family)
        {
            spec["ipFamilies"].At(0).InvalidAs(Field.Printed(spec["ipFamilies"].Node), "may not change once set");
        }
    }

    private static void CheckFamilies(Field spec)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var family in spec["ipFamilies"].Items)
        {
            family.OneOf("IPv4", "IPv6");
            if (!seen.Add(family.Text))
            {
                family.Duplicate();
            }
        }

        spec["ipFamilyPolicy"].OneOf("PreferDualStack", "RequireDualStack", "SingleStack");
    }

    private static void CheckAddresses(Field addresses)
    {
        foreach (var address in addresses.Items)
        {
            if (address.Text == "None")
            {
                if (addresses.Count > 1)
                {
                    addresses.Invalid("'None' must be the first and only value");
                    return;
                }

                continue;
            }

            address.Check(Names.Ip);
        }

        if (addresses.Count > 2)
        {
            addresses.Invalid("may only hold up to 2 values");
        }
        else if (addresses.Count == 2 && addresses.Items.Select(a => a.Text.Contains(':', StringComparison.Ordinal)).Distinct().Count() == 1)
        {
            addresses.Invalid("may specify no more than one IP for each IP family");
        }
    }
}
