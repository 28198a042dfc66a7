using k8s.Models;
using Podhost.Control.Controllers.EndpointSliceMirroring;
using Podhost.Control.Controllers.EndpointSlices;
using Podhost.Control.Controllers.Services;

namespace Podhost.Control.Tests;

public sealed class ServiceEndpointTests
{
    private static readonly DateTime Zero = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    [Fact]
    public void A_trigger_time_is_the_services_own_at_first_and_then_the_earliest_change()
    {
        var times = new TriggerTimes();
        var service = Objects.Service();
        service.Metadata.CreationTimestamp = Zero;
        var (a, b) = (Pod("a", 10), Pod("b", 20));
        Assert.Equal(Zero, times.Next(service, [a, b]));
        Assert.Null(times.Next(service, [a, b]));
        Assert.Equal(Zero.AddSeconds(30), times.Next(service, [Pod("a", 40), Pod("b", 30)]));
        Assert.Equal(Zero.AddSeconds(25), times.Next(service, [Pod("a", 40), Pod("b", 30), Pod("c", 25)]));
        Assert.Null(times.Next(service, [Pod("a", 40)]));
        service.Metadata.CreationTimestamp = Zero.AddSeconds(50);
        Assert.Equal(Zero.AddSeconds(50), times.Next(service, [Pod("a", 40)]));
        times.Forget(new("default", "web"));
        Assert.Equal(Zero.AddSeconds(50), times.Next(service, []));
    }

    [Fact]
    public void A_trigger_time_is_written_in_RFC_3339_and_an_old_one_taken_away()
    {
        var stamped = TriggerTimes.Stamp(new Dictionary<string, string> { ["mine"] = "x" }, Zero.AddMilliseconds(250));
        Assert.Equal("2026-01-01T00:00:00.25Z", stamped![TriggerTimes.Annotation]);
        Assert.Equal("x", stamped["mine"]);
        Assert.Equal(["mine"], TriggerTimes.Stamp(stamped, null)!.Keys);
        Assert.Equal("2026-01-01T00:00:00Z", TriggerTimes.Stamp(null, Zero)![TriggerTimes.Annotation]);
    }

    [Fact]
    public void Endpoints_written_by_hand_become_slices_for_each_family()
    {
        var endpoints = Endpoints();
        var plan = SlicePlanner.Plan(MirrorRules.Template(endpoints), "IPv4", [], MirrorRules.Groups(endpoints, "IPv4"));
        var slice = Assert.Single(plan.Create);
        Assert.Equal(["10.0.0.1", "10.0.0.2"], slice.Endpoints.Select(e => e.Addresses.Single()));
        Assert.Equal([true, false], slice.Endpoints.Select(e => e.Conditions.Ready!.Value));
        Assert.Equal(("http", 8080), (slice.Ports[0].Name, slice.Ports[0].Port));
        Assert.Equal(MirrorRules.Manager, slice.Metadata.Labels[SliceRules.ManagedBy]);
        Assert.Equal(("web", "b"), (slice.Metadata.Labels[SliceRules.ServiceName], slice.Metadata.Labels["a"]));
        Assert.Equal(["kept"], slice.Metadata.Annotations.Keys);
        Assert.Equal("Endpoints", slice.Metadata.OwnerReferences.Single().Kind);
        Assert.Equal("fd00::1", MirrorRules.Groups(endpoints, "IPv6").Single().Endpoints.Single().Addresses.Single());
        slice.Metadata.Name = "web-x";
        Assert.True(SlicePlanner.Plan(MirrorRules.Template(endpoints), "IPv4", [slice], MirrorRules.Groups(endpoints, "IPv4")).IsEmpty);
    }

    [Fact]
    public void Endpoints_are_mirrored_only_without_a_selector_and_where_nobody_forbids_it()
    {
        var (service, endpoints) = (Objects.Service(), Endpoints());
        Assert.False(MirrorRules.IsMirrored(service, endpoints));
        service.Spec.Selector = null;
        Assert.True(MirrorRules.IsMirrored(service, endpoints));
        endpoints.Metadata.Labels["endpointslice.kubernetes.io/skip-mirror"] = "true";
        Assert.False(MirrorRules.IsMirrored(service, endpoints));
    }

    private static V1Pod Pod(string name, int seconds)
    {
        var pod = Objects.Pod(name, "10.0.0.1", ready: true);
        pod.Status.Conditions[0].LastTransitionTime = Zero.AddSeconds(seconds);
        return pod;
    }

    private static V1Endpoints Endpoints() => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = "web",
            NamespaceProperty = "default",
            Uid = "endpoints-uid",
            Labels = new Dictionary<string, string> { ["a"] = "b" },
            Annotations = new Dictionary<string, string> { ["kept"] = "x", [TriggerTimes.Annotation] = "x", ["kubectl.kubernetes.io/last-applied-configuration"] = "x" },
        },
        Subsets =
        [
            new V1EndpointSubset
            {
                Addresses = [new V1EndpointAddress { Ip = "10.0.0.1" }, new V1EndpointAddress { Ip = "fd00::1" }],
                NotReadyAddresses = [new V1EndpointAddress { Ip = "10.0.0.2" }],
                Ports = [new Corev1EndpointPort { Name = "http", Port = 8080, Protocol = "TCP" }],
            },
        ],
    };
}
