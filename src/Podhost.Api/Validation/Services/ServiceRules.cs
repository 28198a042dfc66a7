using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Services;

/// <summary>Services.</summary>
internal static class ServiceRules
{
    private const int MaxAffinitySeconds = 86400;

    public static void Create(Field service)
    {
        ObjectMetaRules.CheckCreate(service["metadata"], namespaced: true, Names.Dns1035Label);
        var spec = service["spec"];
        var type = spec["type"].Text;
        var headless = IsHeadless(spec);
        if (spec["ports"].Count == 0 && !headless && type != "ExternalName")
        {
            spec["ports"].Required();
        }

        CheckType(spec, type, headless);
        ServicePortRules.Check(spec);
        ObjectMetaRules.CheckLabels(spec["selector"]);
        CheckAffinity(spec);
        ServiceAddressRules.Check(spec);
        foreach (var ip in spec["externalIPs"].Items)
        {
            ip.Check(Names.Ip(ip.Text).Any() ? Names.Ip : Names.OrdinaryIp);
        }

        spec["type"].RequiredOneOf("ClusterIP", "ExternalName", "LoadBalancer", "NodePort");
        CheckBalancer(spec, type);
        CheckTraffic(spec, type);
    }

    public static void Update(Field service, Field old, string subresource)
    {
        ObjectMetaRules.CheckUpdate(service["metadata"], old["metadata"]);
        if (subresource.Length == 0)
        {
            ServiceAddressRules.CheckUpdate(service["spec"], old["spec"]);
            Create(service);
        }
    }

    public static bool IsHeadless(Field spec) => spec["clusterIP"].Text == "None" || spec["clusterIPs"].At(0).Text == "None";

    private static void CheckType(Field spec, string type, bool headless)
    {
        if (headless && type is ("LoadBalancer" or "NodePort"))
        {
            spec["clusterIPs"].Child("[0]", "None").Invalid($"may not be set to 'None' for {type} services");
        }

        if (type != "ExternalName")
        {
            return;
        }

        foreach (var field in (string[])["clusterIPs", "ipFamilies", "ipFamilyPolicy"])
        {
            if (spec[field].Count > 0 || spec[field].Text.Length > 0)
            {
                spec[field].Forbidden("may not be set for ExternalName services");
            }
        }

        var name = spec["externalName"].Text;
        if (name.TrimEnd('.').Length == 0)
        {
            spec["externalName"].Required();
        }
        else
        {
            spec["externalName"].Check(name.EndsWith('.') ? name[..^1] : name, Names.DnsSubdomain);
        }
    }

    private static void CheckAffinity(Field spec)
    {
        spec["sessionAffinity"].RequiredOneOf("ClientIP", "None");
        var config = spec["sessionAffinityConfig"];
        if (spec["sessionAffinity"].Text == "None")
        {
            if (config.IsSet)
            {
                config.Forbidden("must not be set when session affinity is None");
            }
        }
        else if (spec["sessionAffinity"].Text == "ClientIP")
        {
            var seconds = config["clientIP"]["timeoutSeconds"];
            if (!seconds.IsSet)
            {
                (!config.IsSet ? config : !config["clientIP"].IsSet ? config["clientIP"] : seconds).Required("when session affinity type is ClientIP");
            }
            else if (seconds.Number is <= 0 or > MaxAffinitySeconds)
            {
                seconds.Invalid($"must be greater than 0 and less than {MaxAffinitySeconds}");
            }
        }
    }

    private static void CheckBalancer(Field spec, string type)
    {
        var ranges = spec.Child("LoadBalancerSourceRanges", spec["loadBalancerSourceRanges"].Node);
        if (ranges.Count > 0 && type != "LoadBalancer")
        {
            ranges.Forbidden("may only be used when `type` is 'LoadBalancer'");
        }

        foreach (var range in ranges.Items)
        {
            range.Check(range.Text.Trim(), Names.Cidr);
        }

        foreach (var field in (Field[])[spec["allocateLoadBalancerNodePorts"], spec["loadBalancerClass"]])
        {
            if (field.IsSet && type != "LoadBalancer")
            {
                field.Forbidden("may only be used when `type` is 'LoadBalancer'");
            }
        }
    }

    private static void CheckTraffic(Field spec, string type)
    {
        var external = spec["externalTrafficPolicy"];
        if (type is not ("NodePort" or "LoadBalancer") && spec["externalIPs"].Count == 0)
        {
            if (external.Text.Length > 0)
            {
                external.Invalid("may only be set for externally-accessible services");
            }
        }
        else
        {
            external.OneOf("Cluster", "Local");
        }

        if (spec["healthCheckNodePort"].Number != 0 && !(type == "LoadBalancer" && external.Text == "Local"))
        {
            spec["healthCheckNodePort"].Invalid("may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
        }

        spec["internalTrafficPolicy"].OneOf("Cluster", "Local");
        spec["trafficDistribution"].OneOf("PreferClose", "PreferSameNode", "PreferSameZone");
    }
}
