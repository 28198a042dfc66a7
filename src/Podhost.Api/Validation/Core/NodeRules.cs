using Podhost.Api.Validation.Metadata;
using Podhost.Api.Validation.Pods;

namespace Podhost.Api.Validation.Core;

/// <summary>Nodes: taints, pod ranges, amounts of resources.</summary>
internal static class NodeRules
{
    public static void Create(Field node)
    {
        ObjectMetaRules.CheckCreate(node["metadata"], namespaced: false, Names.DnsSubdomain);
        CheckTaints(node["spec"]["taints"]);
        CheckRanges(node["spec"]);
    }

    public static void Update(Field node, Field old)
    {
        ObjectMetaRules.CheckUpdate(node["metadata"], old["metadata"]);
        CheckTaints(node["spec"]["taints"]);
        CheckRanges(node["spec"]);
        foreach (var list in (string[])["capacity", "allocatable"])
        {
            foreach (var (name, amount) in node["status"][list].Entries)
            {
                ResourceRules.CheckAmount(name, amount);
            }
        }

        var addresses = new HashSet<(string, string)>();
        foreach (var address in node["status"]["addresses"].Items)
        {
            if (!addresses.Add((address["type"].Text, address["address"].Text)))
            {
                address.Duplicate(address["address"].Text);
            }
        }

        CheckOnce(node["spec"], old["spec"]);
    }

    // Set by whoever hands them out, once.
    private static void CheckOnce(Field spec, Field old)
    {
        if (old["podCIDRs"].Count > 0 && !System.Text.Json.Nodes.JsonNode.DeepEquals(spec["podCIDRs"].Node, old["podCIDRs"].Node))
        {
            spec["podCIDRs"].Forbidden("node updates may not change podCIDR except from \"\" to valid");
        }

        if (old["providerID"].Text.Length > 0 && spec["providerID"].Text != old["providerID"].Text)
        {
            spec["providerID"].Forbidden("node updates may not change providerID except from \"\" to valid");
        }
    }

    private static void CheckTaints(Field taints)
    {
        var seen = new HashSet<(string, string)>();
        foreach (var taint in taints.Items)
        {
            taint["key"].Check(Names.Qualified);
            if (Names.LabelValue(taint["value"].Text).ToList() is { Count: > 0 } faults)
            {
                taint["value"].Invalid(string.Join(";", faults));
            }

            TolerationRules.CheckEffect(taint["effect"]);
            if (!seen.Add((taint["key"].Text, taint["effect"].Text)))
            {
                taint.Add(new FieldError(taint.Path, "FieldValueDuplicate",
                    $"Duplicate value: {Field.Printed(taint.Node)}: taints must be unique by key and effect pair"));
            }
        }
    }

    private static void CheckRanges(Field spec)
    {
        foreach (var range in spec["podCIDRs"].Items)
        {
            range.Check(Names.Cidr);
        }

        if (spec["podCIDRs"].Count > 2)
        {
            spec["podCIDRs"].Invalid("may specify no more than one CIDR for each IP family");
        }
    }
}
