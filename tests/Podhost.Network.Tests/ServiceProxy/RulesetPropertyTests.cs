using CsCheck;
using k8s.Models;
using Podhost.Linux.Nftables;
using Podhost.Network.ServiceProxy.Rules;

namespace Podhost.Network.Tests.ServiceProxy;

/// <summary>Whatever happened, and in whatever order: the table is what a fresh start would write.</summary>
public sealed class RulesetPropertyTests
{
    private static readonly Gen<V1Endpoint> Endpoint = Gen.Select(Gen.Int[2, 6], Gen.Int[0, 3], Gen.Bool, (last, state, here) => new V1Endpoint
    {
        Addresses = [$"10.1.0.{last}"],
        NodeName = here ? "n1" : "n2",
        Conditions = new V1EndpointConditions { Ready = state == 0, Serving = state < 2, Terminating = state is 1 or 2 },
    });

    private static readonly Gen<Step> Steps = Gen.OneOf(
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 2], Gen.Bool, Gen.Bool, Gen.Int[0, 2], (name, type, il, el, affinity) => new Step(Service(name, type, il, el, affinity), null, $"s{name}")),
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 1], Endpoint.List[0, 4], Gen.Bool, (owner, number, endpoints, both) => new Step(null, Slice(owner, number, endpoints, both), $"e{owner}{number}")),
        Gen.Int[0, 3].Select(name => new Step(null, null, $"s{name}")),
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 1], (owner, number) => new Step(null, null, $"e{owner}{number}")));

    [Fact]
    public void Any_sequence_of_changes_leads_to_the_rules_of_a_fresh_start() => Steps.List[1, 30].Sample(steps =>
    {
        var world = new World();
        var table = new FakeTable();
        var applied = world.Book.Rules();
        table.Apply(RulesetScript.Replace(Objects.Table, applied));
        foreach (var step in steps)
        {
            world.Take(step);
            var next = world.Book.Rules();
            table.Apply(RulesetScript.Change(Objects.Table, applied, next));
            applied = next;
        }

        Assert.Equal("", RulesetScript.Change(Objects.Table, applied, applied));
        var fresh = new FakeTable();
        fresh.Apply(RulesetScript.Replace(Objects.Table, world.InOtherOrder().Rules()));
        Assert.Equal(fresh.ToString(), table.ToString());
    });

    [Fact]
    public void A_repair_makes_any_table_right() => Gen.Select(Steps.List[0, 20], Steps.List[0, 20]).Sample((before, after) =>
    {
        var (old, now) = (new World(), new World());
        before.ForEach(old.Take);
        after.ForEach(now.Take);
        var table = new FakeTable();
        table.Apply(RulesetScript.Replace(Objects.Table, old.Book.Rules()));
        table.Apply(RulesetScript.Repair(Objects.Table, new NftTableNames(table.Chains, table.Sets), now.Book.Rules()));
        var fresh = new FakeTable();
        fresh.Apply(RulesetScript.Replace(Objects.Table, now.Book.Rules()));
        Assert.Equal(fresh.ToString(), table.ToString());
    });

    private static V1Service Service(int name, int type, bool internalLocal, bool externalLocal, int affinity) => new()
    {
        Metadata = new V1ObjectMeta { NamespaceProperty = "ns", Name = $"s{name}", CreationTimestamp = new DateTime(2026, 1, 1 + name, 0, 0, 0, DateTimeKind.Utc) },
        Spec = new V1ServiceSpec
        {
            Type = type == 0 ? "ClusterIP" : "NodePort",
            ClusterIP = $"10.96.0.{name}",
            // Two Services share an external address now and then.
            ExternalIPs = type == 2 ? [$"198.51.100.{name / 2}"] : null,
            InternalTrafficPolicy = internalLocal ? "Local" : "Cluster",
            ExternalTrafficPolicy = externalLocal ? "Local" : "Cluster",
            SessionAffinity = affinity > 0 ? "ClientIP" : "None",
            SessionAffinityConfig = affinity > 0 ? new V1SessionAffinityConfig { ClientIP = new V1ClientIPConfig { TimeoutSeconds = affinity * 60 } } : null,
            Ports =
            [
                new V1ServicePort { Name = "t", Port = 80, Protocol = "TCP", NodePort = type > 0 ? 30000 + name : null },
                new V1ServicePort { Name = "u", Port = 80, Protocol = "UDP", NodePort = type > 0 ? 30000 + name : null },
            ],
        },
    };

    private static V1EndpointSlice Slice(int owner, int number, List<V1Endpoint> endpoints, bool both) => new()
    {
        Metadata = new V1ObjectMeta { NamespaceProperty = "ns", Name = $"e{owner}{number}", Labels = new Dictionary<string, string> { ["kubernetes.io/service-name"] = $"s{owner}" } },
        AddressType = "IPv4",
        Endpoints = endpoints,
        Ports =
        [
            new Discoveryv1EndpointPort { Name = "t", Port = 8080, Protocol = "TCP" },
            .. both ? [new Discoveryv1EndpointPort { Name = "u", Port = 5300, Protocol = "UDP" }] : Array.Empty<Discoveryv1EndpointPort>(),
        ],
    };

    /// <summary>A Service or slice to put, or the name of one to remove.</summary>
    private sealed record Step(V1Service? Service, V1EndpointSlice? Slice, string Name);

    private sealed class World
    {
        private readonly Dictionary<string, V1Service> _services = [];
        private readonly Dictionary<string, V1EndpointSlice> _slices = [];

        public ServiceBook Book { get; } = new(Objects.Node);

        public void Take(Step step)
        {
            if (step.Service is { } service)
            {
                _services[step.Name] = service;
                Book.Put(service);
            }
            else if (step.Slice is { } slice)
            {
                Book.Put(slice, _slices.GetValueOrDefault(step.Name));
                _slices[step.Name] = slice;
            }
            else if (_services.Remove(step.Name, out var gone))
            {
                Book.Remove(gone);
            }
            else if (_slices.Remove(step.Name, out var goneSlice))
            {
                Book.Remove(goneSlice);
            }
        }

        public ServiceBook InOtherOrder()
        {
            var book = new ServiceBook(Objects.Node);
            foreach (var slice in _slices.Values.OrderByDescending(s => s.Metadata.Name, StringComparer.Ordinal))
            {
                book.Put(slice, null);
            }

            foreach (var service in _services.Values.OrderByDescending(s => s.Metadata.Name, StringComparer.Ordinal))
            {
                book.Put(service);
            }

            return book;
        }
    }
}
