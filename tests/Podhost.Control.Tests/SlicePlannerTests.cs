using CsCheck;
using k8s.Models;
using Podhost.Control.Controllers.EndpointSlices;

namespace Podhost.Control.Tests;

public sealed class SlicePlannerTests
{
    [Fact]
    public void A_pod_that_is_going_is_not_ready_but_serves_and_is_told_as_terminating()
    {
        var pod = Objects.Pod("a", "10.0.0.1", ready: true);
        pod.Metadata.DeletionTimestamp = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var conditions = Assert.Single(Assert.Single(Groups(Objects.Service(), pod)).Endpoints).Conditions;
        Assert.Equal((false, true, true), (conditions.Ready, conditions.Serving, conditions.Terminating));
    }

    [Fact]
    public void An_unready_pod_is_ready_only_where_unready_addresses_are_published()
    {
        var service = Objects.Service();
        Assert.False(Groups(service, Objects.Pod("a", "10.0.0.1", ready: false))[0].Endpoints[0].Conditions.Ready);
        service.Spec.PublishNotReadyAddresses = true;
        Assert.True(Groups(service, Objects.Pod("a", "10.0.0.1", ready: false))[0].Endpoints[0].Conditions.Ready);
    }

    [Fact]
    public void Named_ports_are_looked_up_in_each_pod()
    {
        var other = Objects.Pod("b", "10.0.0.2", ready: true);
        other.Spec.Containers[0].Ports[0].ContainerPort = 9090;
        var groups = Groups(Objects.Service(), Objects.Pod("a", "10.0.0.1", ready: true), other);
        Assert.Equal([8080, 9090], groups.Select(g => g.Ports[0].Port!.Value).Order());
    }

    [Fact]
    public void A_service_without_pods_has_one_empty_slice()
    {
        var plan = Plan([], Groups(Objects.Service()));
        Assert.Empty(Assert.Single(plan.Create).Endpoints);
        Assert.True(Plan(Store([], plan), Groups(Objects.Service())).IsEmpty);
    }

    [Fact]
    public void Whatever_was_there_the_slices_say_what_is_wanted_once_each_and_then_nothing_is_written() =>
        Gen.Select(Gen.Int[0, 250].HashSet[0, 230], Gen.Int[0, 250].HashSet[0, 230]).Sample((first, second) =>
        {
            var service = Objects.Service();
            var slices = Store([], Plan([], Groups(service, Pods(first))));
            slices = Store(slices, Plan(slices, Groups(service, Pods(second))));
            var told = slices.SelectMany(s => s.Endpoints).Select(e => e.TargetRef.Name).Order().ToList();
            Assert.Equal(second.Select(i => $"p{i:000}").Order(), told);
            Assert.All(slices, s => Assert.True(s.Endpoints.Count <= SlicePlanner.MaxEndpoints));
            Assert.True(Plan(slices, Groups(service, Pods(second))).IsEmpty);
        }, iter: 60);

    [Fact]
    public void A_change_of_one_pod_writes_one_slice()
    {
        var service = Objects.Service();
        var pods = Pods(Enumerable.Range(0, 250));
        var slices = Store([], Plan([], Groups(service, pods)));
        Assert.Equal(3, slices.Count);
        pods[120].Status.Conditions[0].Status = "False";
        var plan = Plan(slices, Groups(service, pods));
        Assert.Single(plan.Update);
        Assert.Empty(plan.Create);
        Assert.Empty(plan.Delete);
    }

    private static V1Pod[] Pods(IEnumerable<int> numbers) => [.. numbers.Select(i => Objects.Pod($"p{i:000}", $"10.0.1.{i}", ready: true))];

    private static IReadOnlyList<EndpointGroup> Groups(V1Service service, params V1Pod[] pods) => SliceRules.Groups(service, pods, "IPv4", _ => null);

    private static SlicePlan Plan(IEnumerable<V1EndpointSlice> present, IReadOnlyList<EndpointGroup> groups) =>
        SlicePlanner.Plan(SliceRules.Template(Objects.Service()), "IPv4", present, groups);

    // What a server makes of a plan.
    private static List<V1EndpointSlice> Store(List<V1EndpointSlice> present, SlicePlan plan)
    {
        var gone = plan.Delete.Concat(plan.Update).Select(s => s.Metadata.Name).ToHashSet();
        var next = present.Where(s => !gone.Contains(s.Metadata.Name)).Concat(plan.Update).ToList();
        foreach (var slice in plan.Create)
        {
            slice.Metadata.Name = $"web-{present.Count}-{next.Count}";
            next.Add(slice);
        }

        return next;
    }
}
