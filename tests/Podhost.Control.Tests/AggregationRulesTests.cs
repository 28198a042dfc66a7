using k8s.Models;
using Podhost.Control.Controllers.ClusterRoles;

namespace Podhost.Control.Tests;

public sealed class AggregationRulesTests
{
    [Fact]
    public void A_role_collects_by_selector_and_name_each_rule_once_and_never_itself()
    {
        var sum = Role("sum", "own", ("to", "sum"));
        sum.AggregationRule = new V1AggregationRule { ClusterRoleSelectors = [Selector("to", "sum"), Selector("also", "sum")] };
        V1ClusterRole[] all = [Role("z", "pods", ("to", "sum")), Role("a", "nodes", ("also", "sum")), Role("b", "secrets", ("to", "sum")), Role("c", "pods", ("also", "sum")), Role("d", "leases", ("to", "x")), sum];
        Assert.Equal(["secrets", "pods", "nodes"], AggregationRules.Collect(sum, all).Select(r => r.Resources.Single()));
    }

    [Fact]
    public void Rules_are_compared_in_their_order()
    {
        var (a, b) = (Role("a", "pods").Rules[0], Role("b", "nodes").Rules[0]);
        Assert.True(AggregationRules.Same([a, b], [Role("c", "pods").Rules[0], b]));
        Assert.False(AggregationRules.Same([a, b], [b, a]));
        Assert.True(AggregationRules.Same(null, []));
    }

    private static V1LabelSelector Selector(string key, string value) => new() { MatchLabels = new Dictionary<string, string> { [key] = value } };

    private static V1ClusterRole Role(string name, string resource, params (string Key, string Value)[] labels) => new()
    {
        Metadata = new V1ObjectMeta { Name = name, Labels = labels.ToDictionary(l => l.Key, l => l.Value) },
        Rules = [new V1PolicyRule { ApiGroups = [""], Resources = [resource], Verbs = ["get"] }],
    };
}
