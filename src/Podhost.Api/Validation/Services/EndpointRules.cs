using Podhost.Api.Validation.Metadata;
using Podhost.Api.Validation.Pods;

namespace Podhost.Api.Validation.Services;

/// <summary>Endpoints and EndpointSlices.</summary>
internal static class EndpointRules
{
    private const int MaxEndpoints = 1000;
    private const int MaxPorts = 100;
    private const int MaxAddresses = 100;

    public static void CheckEndpoints(Field endpoints)
    {
        ObjectMetaRules.CheckCreate(endpoints["metadata"], namespaced: true, Names.DnsSubdomain);
        foreach (var subset in endpoints["subsets"].Items)
        {
            if (subset["addresses"].Count == 0 && subset["notReadyAddresses"].Count == 0)
            {
                subset.Required("must specify `addresses` or `notReadyAddresses`");
            }

            foreach (var address in subset["addresses"].Items.Concat(subset["notReadyAddresses"].Items))
            {
                address["ip"].Check(Names.Ip(address["ip"].Text).Any() ? Names.Ip : Names.OrdinaryIp);
                address["hostname"].CheckIfSet(Names.DnsLabel);
                address["nodeName"].CheckIfSet(Names.DnsSubdomain);
            }

            foreach (var port in subset["ports"].Items)
            {
                CheckEndpointsPort(port, subset["ports"].Count > 1);
            }
        }
    }

    public static void CheckSlice(Field slice)
    {
        ObjectMetaRules.CheckCreate(slice["metadata"], namespaced: true, Names.DnsSubdomain);
        slice["addressType"].RequiredOneOf("FQDN", "IPv4", "IPv6");
        if (slice["endpoints"].Count > MaxEndpoints)
        {
            slice["endpoints"].TooMany(MaxEndpoints);
        }

        foreach (var endpoint in slice["endpoints"].Items)
        {
            CheckSliceEndpoint(endpoint, slice["addressType"].Text);
        }

        CheckSlicePorts(slice["ports"]);
    }

    public static void UpdateSlice(Field slice, Field old)
    {
        ObjectMetaRules.CheckUpdate(slice["metadata"], old["metadata"]);
        slice["addressType"].Unchanged(old["addressType"].Node);
        CheckSlice(slice);
    }

    private static void CheckSliceEndpoint(Field endpoint, string type)
    {
        var addresses = endpoint["addresses"];
        if (addresses.Count == 0)
        {
            addresses.Required("must contain at least 1 address");
        }
        else if (addresses.Count > MaxAddresses)
        {
            addresses.TooMany(MaxAddresses);
        }

        foreach (var address in addresses.Items)
        {
            if (type == "FQDN")
            {
                address.Check(Names.DnsSubdomain);
            }
            else if (Names.ParseIp(address.Text) is null || address.Text.Contains(':', StringComparison.Ordinal) != (type == "IPv6"))
            {
                address.Invalid(type == "IPv6" ? "must be a valid IPv6 address" : "must be a valid IPv4 address");
            }
            else
            {
                address.Check(Names.OrdinaryIp);
            }
        }

        endpoint["hostname"].CheckIfSet(Names.DnsLabel);
        endpoint["nodeName"].CheckIfSet(Names.DnsSubdomain);
    }

    private static void CheckSlicePorts(Field ports)
    {
        if (ports.Count > MaxPorts)
        {
            ports.TooMany(MaxPorts);
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var port in ports.Items)
        {
            port["name"].CheckIfSet(Names.DnsLabel);
            if (!names.Add(port["name"].Text))
            {
                port["name"].Duplicate(port["name"].Text);
            }

            port["protocol"].RequiredOneOf(PortRules.Protocols);
            port["port"].InRange(1, 65535);
            if (port["appProtocol"].IsSet)
            {
                port["appProtocol"].Check(Names.Qualified);
            }
        }
    }

    private static void CheckEndpointsPort(Field port, bool nameRequired)
    {
        if (nameRequired)
        {
            port["name"].CheckRequired(Names.DnsLabel);
        }
        else
        {
            port["name"].CheckIfSet(Names.DnsLabel);
        }

        if (port["port"].Number is < 1 or > 65535)
        {
            port["port"].InvalidAs($"{port["port"].Number}", "must be between 1 and 65535, inclusive");
        }

        port["protocol"].RequiredOneOf(PortRules.Protocols);
    }
}
