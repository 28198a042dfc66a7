namespace Podhost.Api.Validation.Services;

/// <summary>clusterIP, clusterIPs and IP families of a Service. Source: upstream's ValidateServiceClusterIPsRelatedFields and its rules for upgrades and downgrades.</summary>
internal static class ServiceAddressRules
{
    private const string SetOnce = "may not change once set";

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

        if (CheckAddresses(addresses) && !IsHeadless(spec))
        {
            CheckFamiliesOfAddresses(spec);
        }
    }

    /// <summary>What a service was given stays, unless it stops or begins to be an ExternalName; a second family comes and goes with the policy.</summary>
    public static void CheckUpdate(Field spec, Field old)
    {
        if (spec["type"].Text == "ExternalName" || old["type"].Text == "ExternalName")
        {
            return;
        }

        var (isHeadless, wasHeadless) = (IsHeadless(spec), IsHeadless(old));
        if (!isHeadless || !wasHeadless)
        {
            CheckKept(spec, old, "clusterIPs", "primary clusterIP can not be unset", "clusterIP");
        }

        if (!isHeadless && !wasHeadless)
        {
            CheckKept(spec, old, "ipFamilies", "primary ipFamily can not be unset", "ipFamily");
        }
    }

    private static void CheckKept(Field spec, Field old, string list, string unset, string what)
    {
        var (now, had) = (spec[list], old[list]);
        if (now.Count == had.Count)
        {
            for (var i = 0; i < now.Count; i++)
            {
                CheckSame(now, had, i);
            }

            return;
        }

        if (had.Count > 0 && now.Count == 0)
        {
            now.At(0).InvalidAs(Field.Printed(now.Node), unset);
        }
        else if (had.Count > 0)
        {
            CheckSame(now, had, 0);
        }

        if (now.Count == 1 && had.Count > 1 && spec["ipFamilyPolicy"].Text != "SingleStack")
        {
            spec["ipFamilyPolicy"].Invalid($"must be set to 'SingleStack' when releasing the secondary {what}");
        }
    }

    private static void CheckSame(Field now, Field had, int index)
    {
        if (had.At(index).Text != now.At(index).Text)
        {
            now.At(index).InvalidAs(Field.Printed(now.Node), SetOnce);
        }
    }

    private static bool IsHeadless(Field spec) => spec["clusterIPs"].Count == 1 && spec["clusterIPs"].At(0).Text == "None";

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

    private static void CheckFamiliesOfAddresses(Field spec)
    {
        for (var i = 0; i < Math.Min(spec["clusterIPs"].Count, spec["ipFamilies"].Count); i++)
        {
            var (address, family) = (spec["clusterIPs"].At(i), spec["ipFamilies"].At(i).Text);
            if (family is "IPv4" or "IPv6" && IsIPv6(address) != (family == "IPv6"))
            {
                address.Invalid($"expected an {family} value as indicated by `ipFamilies[{i}]`");
            }
        }
    }

    // False: an address is none, and there is no more to say.
    private static bool CheckAddresses(Field addresses)
    {
        var isFine = true;
        for (var i = 0; i < addresses.Count; i++)
        {
            var address = addresses.At(i);
            if (i == 0 && address.Text == "None")
            {
                if (addresses.Count > 1)
                {
                    addresses.Invalid("'None' must be the first and only value");
                    isFine = false;
                }

                continue;
            }

            address.Check(Names.Ip);
            isFine &= Names.ParseIp(address.Text) is not null;
        }

        if (addresses.Count > 2)
        {
            addresses.Invalid("may only hold up to 2 values");
        }

        if (isFine && addresses.Count > 1 && (addresses.Count > 2 || addresses.Items.Select(IsIPv6).Distinct().Count() == 1))
        {
            addresses.Invalid("may specify no more than one IP for each IP family");
        }

        return isFine;
    }

    private static bool IsIPv6(Field address) => address.Text.Contains(':', StringComparison.Ordinal);
}
