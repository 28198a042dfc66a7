using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Pods;

/// <summary>Affinity to nodes and to other pods.</summary>
internal static class AffinityRules
{
    private const string Required = "requiredDuringSchedulingIgnoredDuringExecution";
    private const string Preferred = "preferredDuringSchedulingIgnoredDuringExecution";

    public static void Check(Field affinity)
    {
        var node = affinity["nodeAffinity"];
        if (node[Required].IsSet)
        {
            CheckNodeSelector(node[Required]);
        }

        foreach (var term in node[Preferred].Items)
        {
            CheckWeight(term["weight"]);
            CheckNodeTerm(term["preference"], valuesToo: false);
        }

        foreach (var kind in (Field[])[affinity["podAffinity"], affinity["podAntiAffinity"]])
        {
            foreach (var term in kind[Required].Items)
            {
                CheckPodTerm(term);
            }

            foreach (var term in kind[Preferred].Items)
            {
                CheckWeight(term["weight"]);
                CheckPodTerm(term["podAffinityTerm"]);
            }
        }
    }

    /// <summary>Terms of which a node must match one.</summary>
    public static void CheckNodeSelector(Field selector)
    {
        var terms = selector["nodeSelectorTerms"];
        if (terms.Count == 0)
        {
            terms.Required("must have at least one node selector term");
        }

        foreach (var term in terms.Items)
        {
            CheckNodeTerm(term, valuesToo: true);
        }
    }

    private static void CheckWeight(Field weight)
    {
        if (weight.Number is <= 0 or > 100)
        {
            weight.InvalidAs($"{weight.Number}", "must be in the range 1-100");
        }
    }

    private static void CheckNodeTerm(Field term, bool valuesToo)
    {
        foreach (var requirement in term["matchExpressions"].Items)
        {
            CheckNodeRequirement(requirement, valuesToo);
        }

        foreach (var requirement in term["matchFields"].Items)
        {
            CheckNodeField(requirement);
        }
    }

    private static void CheckNodeRequirement(Field requirement, bool valuesToo)
    {
        var values = requirement["values"];
        switch (requirement["operator"].Text)
        {
            case "In" or "NotIn":
                if (values.Count == 0)
                {
                    values.Required("must be specified when `operator` is 'In' or 'NotIn'");
                }

                break;
            case "Exists" or "DoesNotExist":
                if (values.Count > 0)
                {
                    values.Forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
                }

                break;
            case "Gt" or "Lt":
                if (values.Count != 1)
                {
                    values.Required("must be specified single value when `operator` is 'Lt' or 'Gt'");
                }

                break;
            default:
                requirement["operator"].InvalidText(requirement["operator"].Text, "not a valid selector operator");
                break;
        }

        requirement["key"].Check(Names.Qualified);
        foreach (var value in valuesToo ? values.Items : [])
        {
            value.Check(Names.LabelValue);
        }
    }

    private static void CheckNodeField(Field requirement)
    {
        if (requirement["operator"].Text is not ("In" or "NotIn"))
        {
            requirement["operator"].InvalidText(requirement["operator"].Text, "not a valid selector operator");
        }
        else if (requirement["values"].Count != 1)
        {
            requirement["values"].Required("must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
        }

        if (requirement["key"].Text != "metadata.name")
        {
            requirement["key"].InvalidText(requirement["key"].Text, "not a valid field selector key");
            return;
        }

        foreach (var value in requirement["values"].Items)
        {
            value.Check(Names.DnsSubdomain);
        }
    }

    private static void CheckPodTerm(Field term)
    {
        SelectorRules.Check(term["labelSelector"]);
        SelectorRules.Check(term["namespaceSelector"]);
        foreach (var name in term["namespaces"].Items)
        {
            term.Child("namespace", name.Node).Check(Names.DnsLabel);
        }

        CheckLabelKeys(term["matchLabelKeys"], term["labelSelector"], "matchLabelKeys");
        CheckLabelKeys(term["mismatchLabelKeys"], term["labelSelector"], "mismatchLabelKeys");
        foreach (var key in term["mismatchLabelKeys"].Items.Where(k => term["matchLabelKeys"].Items.Any(m => m.Text == k.Text)))
        {
            key.Invalid("exists in both matchLabelKeys and mismatchLabelKeys");
        }

        var topology = term["topologyKey"];
        if (topology.Text.Length == 0)
        {
            topology.Required("can not be empty");
        }

        topology.Check(topology.Text, Names.Qualified);
    }

    private static void CheckLabelKeys(Field keys, Field selector, string name)
    {
        if (keys.Count > 0 && !selector.IsSet)
        {
            keys.Forbidden("must not be specified when labelSelector is not set");
        }

        foreach (var key in keys.Items)
        {
            key.Check(Names.Qualified);
            LabelKeyRules.CheckNotInSelector(key, selector, name);
        }
    }
}
