using k8s;
using k8s.Models;
using Podhost.Api.Yaml;
using Podhost.Network.ServiceProxy.Model;
using Podhost.Network.ServiceProxy.Rules;

namespace Podhost.Network.Tests.ServiceProxy;

/// <summary>Services and slices from manifests, and the rules that they make.</summary>
internal static class Objects
{
    internal const string Table = "t";

    internal static readonly NodeFacts Node = new("n1", System.Net.IPNetwork.Parse("10.1.0.0/16"), SeesBridgedTraffic: true);

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

    internal static string Script(ServiceBook book) => RulesetScript.Repair(Table, null, book.Rules());
}
