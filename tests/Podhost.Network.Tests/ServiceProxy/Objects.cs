using k8s;
using k8s.Models;
using Podhost.Api.Yaml;
using Podhost.Linux.Nftables;
using Podhost.Network.ServiceProxy.Model;
using Podhost.Network.ServiceProxy.Rules;

namespace Podhost.Network.Tests.ServiceProxy;

/// <summary>Services and slices from manifests, and the rules that they make.</summary>
internal static class Objects
{
    internal static readonly NftTable Table = new(NftFamily.IPv4, "t");
    internal static readonly NftTable TableIPv6 = new(NftFamily.IPv6, "t");

    internal static readonly NodeFacts Node = new("n1", System.Net.IPNetwork.Parse("10.1.0.0/16"), SeesBridgedTraffic: true);
    internal static readonly NodeFacts NodeIPv6 = Node with { PodCidr = System.Net.IPNetwork.Parse("fd00:1::/64") };

    internal static ServiceBook Book(string yaml, NodeFacts? node = null)
    {
        var book = new ServiceBook(node ?? Node);
        Put(book, yaml);
        return book;
    }

    internal static void Put(ServiceBook book, string yaml)
    {
        foreach (var document in YamlReader.ReadAll(yaml))
        {
            if (document!["kind"]!.GetValue<string>() == "Service")
            {
                book.Put(KubernetesJson.Deserialize<V1Service>(document.ToJsonString()));
            }
            else
            {
                book.Put(KubernetesJson.Deserialize<V1EndpointSlice>(document.ToJsonString()), null);
            }
        }
    }

    internal static string Script(ServiceBook book, NftTable? table = null) => RulesetScript.Repair(table ?? Table, null, book.Rules());
}
