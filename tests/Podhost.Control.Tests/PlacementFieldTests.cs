using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Control.Scheduler;
using Podhost.Control.Scheduler.Model;

namespace Podhost.Control.Tests;

/// <summary>
/// Where the fields of a spec put a pod. The nodes: a (zone z1, disk ssd, size 3), b (z1, size 5), c (z2) and, where it takes part, t (z3, tainted).
/// Pods that run: web (v 1) and api on a, api on c, and db on c in another namespace, whose team is x. Each row is a spec and the node, or a part of the message.
/// </summary>
public sealed class PlacementFieldTests
{
    private const string NoNode = "didn't match Pod's node affinity/selector";
    private const string NoAffinity = "didn't match pod affinity rules";
    private const string NoAntiAffinity = "didn't match pod anti-affinity rules";
    private const string NoSpread = "didn't match pod topology spread constraints";
    private const string Untolerated = "had untolerated taint";
    private const string Host = "kubernetes.io/hostname";

    [Theory]
    [InlineData("""{"nodeSelector":{"disk":"ssd"}}""", "a")]
    [InlineData("""{"nodeSelector":{"disk":"hdd"}}""", NoNode)]
    public void A_node_selector_matches_labels(string spec, string expected) => Places(spec, expected);

    [Theory]
    [InlineData("""{"key":"size","operator":"Gt","values":["4"]}""", "b")]
    [InlineData("""{"key":"size","operator":"Lt","values":["4"]}""", "a")]
    [InlineData("""{"key":"zone","operator":"NotIn","values":["z1"]}""", "c")]
    [InlineData("""{"key":"zone","operator":"In","values":["z2","z9"]}""", "c")]
    [InlineData("""{"key":"disk","operator":"Exists"}""", "a")]
    [InlineData("""{"key":"size","operator":"DoesNotExist"}""", "c")]
    [InlineData("""{"key":"zone","operator":"In","values":["z9"]}""", NoNode)]
    public void A_required_node_affinity_compares_labels(string expression, string expected) => Places(NodeAffinity($$"""[{"matchExpressions":[{{expression}}]}]"""), expected);

    [Theory]
    [InlineData("""[{"matchFields":[{"key":"metadata.name","operator":"In","values":["b"]}]}]""", "b")]
    [InlineData("""[{"matchExpressions":[{"key":"zone","operator":"In","values":["z9"]}]},{"matchExpressions":[{"key":"zone","operator":"In","values":["z2"]}]}]""", "c")]
    [InlineData("""[{"matchExpressions":[{"key":"zone","operator":"In","values":["z1"]},{"key":"disk","operator":"DoesNotExist"}]}]""", "b")]
    [InlineData("""[{"matchExpressions":[{"key":"zone","operator":"In","values":["z1"]}],"matchFields":[{"key":"metadata.name","operator":"In","values":["c"]}]}]""", NoNode)]
    public void One_term_has_to_match_and_of_it_all(string terms, string expected) => Places(NodeAffinity(terms), expected);

    [Theory]
    [InlineData(100, 1, "a")]
    [InlineData(1, 100, "c")]
    public void Preferred_nodes_count_by_their_weights(int ssd, int z2, string expected) => Places($$$$$$"""
        {"affinity":{"nodeAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[
            {"weight":{{{{{{ssd}}}}}},"preference":{"matchExpressions":[{"key":"disk","operator":"In","values":["ssd"]}]}},
            {"weight":{{{{{{z2}}}}}},"preference":{"matchExpressions":[{"key":"zone","operator":"In","values":["z2"]}]}}]}}}
        """, expected);

    [Theory]
    [InlineData("web", "", "a")]
    [InlineData("db", "", NoAffinity)]
    [InlineData("db", ""","namespaces":["other"]""", "c")]
    [InlineData("db", ""","namespaceSelector":{"matchLabels":{"team":"x"}}""", "c")]
    [InlineData("db", ""","namespaceSelector":{"matchLabels":{"team":"y"}}""", NoAffinity)]
    [InlineData("web", ""","matchLabelKeys":["v"]""", NoAffinity)]
    [InlineData("web", ""","mismatchLabelKeys":["v"]""", "a")]
    public void A_required_pod_affinity_finds_pods(string app, string more, string expected) =>
        Places($$$$$$"""{"affinity":{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{{{{{{Term(app, Host, more)}}}}}}]}}}""", expected);

    [Theory]
    [InlineData("zone", "web", "c")]
    [InlineData("zone", "api", NoAntiAffinity)]
    [InlineData(Host, "api", "b")]
    public void A_required_pod_anti_affinity_keeps_out_of_the_whole_domain(string topologyKey, string app, string expected) =>
        Places($$$$$$"""{"affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{{{{{{Term(app, topologyKey)}}}}}}]}}}""", expected);

    [Fact]
    public void Affinity_and_anti_affinity_hold_together() => Places($$$$$$"""
        {"affinity":{"podAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{{{{{{Term("web", "zone")}}}}}}]},
                     "podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[{{{{{{Term("web", Host)}}}}}}]}}}
        """, "b");

    [Theory]
    [InlineData("podAffinity", 100, 1, "a")]
    [InlineData("podAffinity", 1, 100, "c")]
    [InlineData("podAntiAffinity", 100, 1, "c")]
    [InlineData("podAntiAffinity", 1, 100, "a")]
    public void Preferred_pods_count_by_their_weights(string kind, int web, int db, string expected) => Places($$$$$$"""
        {"nodeSelector":{"named":"yes"},"affinity":{"{{{{{{kind}}}}}}":{"preferredDuringSchedulingIgnoredDuringExecution":[
            {"weight":{{{{{{web}}}}}},"podAffinityTerm":{{{{{{Term("web", Host)}}}}}}},
            {"weight":{{{{{{db}}}}}},"podAffinityTerm":{{{{{{Term("db", Host, ""","namespaces":["other"]""")}}}}}}}]}}}
        """, expected);

    [Theory]
    [InlineData("""{"key":"only","operator":"Equal","value":"gpu","effect":"NoSchedule"}""", "t")]
    [InlineData("""{"key":"only","value":"gpu"}""", "t")]
    [InlineData("""{"key":"only","operator":"Exists"}""", "t")]
    [InlineData("""{"operator":"Exists"}""", "t")]
    [InlineData("""{"key":"only","operator":"Equal","value":"cpu"}""", Untolerated)]
    [InlineData("""{"key":"other","operator":"Exists"}""", Untolerated)]
    [InlineData("""{"key":"only","operator":"Exists","effect":"NoExecute"}""", Untolerated)]
    public void A_toleration_is_for_its_key_value_and_effect(string toleration, string expected) =>
        Places($$$$$$"""{"nodeSelector":{"zone":"z3"},"tolerations":[{{{{{{toleration}}}}}}]}""", expected, withTainted: true);

    [Theory]
    [InlineData(""" "maxSkew":1,"labelSelector":{"matchLabels":{"app":"web"}} """, "c")]
    [InlineData(""" "maxSkew":1,"labelSelector":{"matchLabels":{"app":"web"}},"nodeAffinityPolicy":"Ignore" """, NoSpread, "z1")]
    [InlineData(""" "maxSkew":2,"labelSelector":{"matchLabels":{"app":"web"}},"nodeAffinityPolicy":"Ignore" """, "b", "z1")]
    [InlineData(""" "maxSkew":1,"labelSelector":{"matchLabels":{"app":"web"}},"nodeAffinityPolicy":"Honor" """, "b", "z1")]
    [InlineData(""" "maxSkew":1,"labelSelector":{"matchLabels":{"app":"web"}},"nodeAffinityPolicy":"Ignore","matchLabelKeys":["v"] """, "b", "z1")]
    [InlineData(""" "maxSkew":1,"labelSelector":{"matchLabels":{"app":"api"}},"minDomains":2,"nodeAffinityPolicy":"Ignore" """, "b", "z1")]
    [InlineData(""" "maxSkew":1,"labelSelector":{"matchLabels":{"app":"api"}},"minDomains":3,"nodeAffinityPolicy":"Ignore" """, NoSpread, "z1")]
    [InlineData(""" "maxSkew":1,"labelSelector":{"matchLabels":{"app":"web"}},"topologyKey":"rack" """, NoSpread + " (missing required label)", "z1")]
    public void Pods_spread_over_the_domains_within_the_skew(string constraint, string expected, string? zone = null) => Places(Spread(constraint, zone), expected, counted: true);

    [Theory]
    [InlineData("Ignore", NoSpread)]
    [InlineData("Honor", "b")]
    public void A_tainted_node_is_a_domain_unless_taints_are_honoured(string policy, string expected) => Places(
        Spread($$$""" "maxSkew":1,"labelSelector":{"matchLabels":{"app":"api"}},"nodeAffinityPolicy":"Ignore","nodeTaintsPolicy":"{{{policy}}}" """, "z1"), expected, withTainted: true, counted: true);

    [Fact]
    public void Where_it_may_schedule_anyway_it_does() =>
        Places(Spread(""" "maxSkew":1,"whenUnsatisfiable":"ScheduleAnyway","labelSelector":{"matchLabels":{"app":"web"}},"nodeAffinityPolicy":"Ignore" """, "z1"), "b", counted: true);

    // Where zone z1 is asked for, b is preferred, so that one node of the two is the answer.
    private static string Spread(string constraint, string? zone)
    {
        var filled = JsonNode.Parse("{" + constraint + "}")!.AsObject();
        filled.TryAdd("topologyKey", "zone");
        filled.TryAdd("whenUnsatisfiable", "DoNotSchedule");
        var selector = zone is null ? "" : $$$$$$"""
            "nodeSelector":{"zone":"{{{{{{zone}}}}}}"},"affinity":{"nodeAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[
                {"weight":100,"preference":{"matchFields":[{"key":"metadata.name","operator":"In","values":["b"]}]}}]}},
            """;
        return "{" + selector + $"\"topologySpreadConstraints\":[{filled.ToJsonString()}]}}";
    }

    private static string NodeAffinity(string terms) =>
        $$$$$$"""{"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":{{{{{{terms}}}}}}}}}}""";

    private static string Term(string app, string topologyKey, string more = "") =>
        $$$$$$"""{"labelSelector":{"matchLabels":{"app":"{{{{{{app}}}}}}"}},"topologyKey":"{{{{{{topologyKey}}}}}}"{{{{{{more}}}}}}}""";

    private static void Places(string spec, string expected, bool withTainted = false, bool counted = false)
    {
        var pod = Pod("new", "default", null, spec, ("v", "2"));
        var running = new[]
        {
            Pod("web", "default", "a", "{}", ("app", "web"), ("v", "1")), Pod("api-a", "default", "a", "{}", ("app", "api")),
            Pod("api-c", "default", "c", "{}", ("app", "api")), Pod("db", "other", "c", "{}", ("app", "db")),
        };
        if (counted)
        {
            // A pod counts itself where it matches.
            pod.Metadata.Labels["app"] = spec.Contains("\"app\":\"web\"", StringComparison.Ordinal) ? "web" : "api";
        }

        var nodes = new List<V1Node> { Node("a", ("zone", "z1"), ("disk", "ssd"), ("size", "3"), ("named", "yes")), Node("b", ("zone", "z1"), ("size", "5")), Node("c", ("zone", "z2"), ("named", "yes")) };
        if (withTainted)
        {
            nodes.Add(Node("t", ("zone", "z3")));
            nodes[^1].Spec.Taints = [new V1Taint { Key = "only", Value = "gpu", Effect = "NoSchedule" }];
        }

        V1Namespace[] namespaces = [new() { Metadata = new V1ObjectMeta { Name = "default" } }, new() { Metadata = new V1ObjectMeta { Name = "other", Labels = new Dictionary<string, string> { ["team"] = "x" } } }];
        var result = SchedulingDecider.Decide(new PodView(pod), ClusterView.Build(nodes, running.Select(p => new PodView(p)), new Dictionary<string, string>(), namespaces));
        if (expected.Length == 1)
        {
            Assert.True(result.NodeName == expected, $"{result.NodeName}: {result.Message}");
        }
        else
        {
            Assert.Null(result.NodeName);
            Assert.Contains(expected, result.Message);
        }
    }

    private static V1Node Node(string name, params (string Key, string Value)[] labels)
    {
        var node = Objects.Node(name);
        foreach (var (key, value) in labels)
        {
            node.Metadata.Labels[key] = value;
        }

        return node;
    }

    private static V1Pod Pod(string name, string ns, string? node, string spec, params (string Key, string Value)[] labels)
    {
        var json = JsonNode.Parse(spec)!.AsObject();
        json["containers"] = new JsonArray(new JsonObject { ["name"] = "c", ["image"] = "x" });
        json["nodeName"] = node;
        return ObjectCodec.ToModel<V1Pod>(new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = ns, ["uid"] = "uid-" + name, ["labels"] = new JsonObject(labels.Select(l => KeyValuePair.Create<string, JsonNode?>(l.Key, l.Value))) },
            ["spec"] = json,
        });
    }
}
