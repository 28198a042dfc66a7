using Podhost.Kubelet.Node;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Resources;
using Podhost.Kubelet.Tests.Support;
using k8s.Models;

namespace Podhost.Kubelet.Tests.PodConfig;

/// <summary>Who leaves for a critical pod; on a node of 2 CPUs and 4 GiB.</summary>
public sealed class PreemptionRulesTests
{
    private static readonly Dictionary<string, ResourceQuantity> List = new() { ["cpu"] = new("2"), ["memory"] = new("4Gi"), ["pods"] = new("4") };
    private readonly List<string> leaving = [];
    private readonly List<string> decided = [];
    private readonly NodeAdmission admission = new(new NodeJudgement(new NodeResources(List, List), () => null, [], () => []));

    public PreemptionRulesTests()
    {
        admission.Preempts += (uid, stop) => leaving.Add($"{uid} {stop.Reason} {stop.Grace.TotalSeconds}");
        admission.Decided += (uid, verdict) => decided.Add($"{uid} {verdict.Admitted}");
    }

    // Pods as class:cpu:memory (b is Burstable, g Guaranteed, e BestEffort, c critical), what is missing as cpu in millicores, or pods.
    [Theory]
    [InlineData("e:0:0 b:500:1 g:500:1", "pods 1", "0")]
    [InlineData("b:500:1 g:500:1", "pods 1", "0")]
    [InlineData("e:0:0 b:200:1 b:500:1 b:600:1 g:500:1", "cpu 500", "2")]
    [InlineData("b:200:1 b:300:1 b:250:1", "cpu 500", "1 0")]
    [InlineData("b:500:2 b:500:1", "cpu 500", "1")]
    [InlineData("b:100:1 g:300:1 g:500:1", "cpu 400", "0 1")]
    [InlineData("b:300:1 g:300:1", "cpu 400", "0 1")]
    [InlineData("c:900:1 b:500:1", "cpu 400", "1")]
    [InlineData("c:900:1 b:100:1", "cpu 400", "preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [(res: cpu, q: 300), ]")]
    [InlineData("", "cpu 400", "preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [(res: cpu, q: 400), ]")]
    public void As_few_and_as_near_as_will_do(string pods, string missing, string chosen)
    {
        var others = pods.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select((p, i) => Make(i, p.Split(':'))).ToList();
        var shortage = new Shortage(missing.Split(' ')[0], long.Parse(missing.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture));
        string actual;
        try
        {
            actual = string.Join(' ', PreemptionRules.Choose(Critical("new", "1"), others, [shortage]).Select(p => p.Metadata.Uid));
        }
        catch (PreemptionException e)
        {
            actual = e.Message;
        }

        Assert.Equal(chosen, actual);
    }

    [Fact]
    public void A_critical_pod_waits_until_others_have_left_and_nobody_takes_its_place()
    {
        Assert.True(admission.Admit(Burstable("a", "1500m"), PodOrigin.Api)!.Admitted);
        Assert.True(admission.Admit(Burstable("b", "400m"), PodOrigin.Api)!.Admitted);
        Assert.Equal("OutOfcpu", admission.Admit(Burstable("ordinary", "500m"), PodOrigin.Api)!.Reason);
        Assert.Empty(leaving);

        Assert.Null(admission.Admit(Critical("critical", "500m"), PodOrigin.Api));
        Assert.Equal(["b Preempting 7"], leaving);
        Assert.Equal("OutOfcpu", admission.Admit(Burstable("ordinary", "10m"), PodOrigin.Api)!.Reason);
        Assert.Empty(decided);
        admission.Release("b");
        Assert.Equal(["critical True"], decided);
        admission.Release("a");
        Assert.True(admission.Admit(Burstable("ordinary", "1"), PodOrigin.Api)!.Admitted);
    }

    [Fact]
    public void Room_is_made_only_for_what_is_not_refused_for_another_reason()
    {
        Assert.True(admission.Admit(Burstable("a", "1500m"), PodOrigin.Api)!.Admitted);
        var foreign = Critical("foreign", "1");
        foreign.Spec.Os = new V1PodOS { Name = "windows" };
        Assert.Equal("PodOSNotSupported", admission.Admit(foreign, PodOrigin.Api)!.Reason);
        var vast = admission.Admit(Critical("vast", "3"), PodOrigin.Api)!;
        Assert.Equal("UnexpectedAdmissionError", vast.Reason);
        Assert.StartsWith("Unexpected error while attempting to recover from admission failure: preemption: error finding", vast.Message);

        // One that goes while it waits holds nothing.
        Assert.Null(admission.Admit(Critical("critical", "1"), PodOrigin.Api));
        admission.Release("critical");
        admission.Release("a");
        Assert.Empty(decided);
    }

    private static V1Pod Make(int index, string[] parts)
    {
        var amounts = $"{{cpu: {parts[1]}m, memory: {parts[2]}Mi}}";
        var resources = parts[0] switch { "e" => "{}", "g" => $"{{requests: {amounts}, limits: {amounts}}}", _ => $"{{requests: {amounts}}}" };
        var uid = index.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return Objects.Pod($"priority: {(parts[0] == "c" ? 2000001000 : 0)}\ncontainers: [{{name: a, resources: {resources}}}]", uid, uid);
    }

    private static V1Pod Burstable(string uid, string cpu) =>
        Objects.Pod($"priority: 0\nterminationGracePeriodSeconds: 7\ncontainers: [{{name: a, resources: {{requests: {{cpu: \"{cpu}\"}}}}}}]", uid, uid);

    private static V1Pod Critical(string uid, string cpu) => Objects.Pod($"priority: 2000001000\ncontainers: [{{name: a, resources: {{requests: {{cpu: \"{cpu}\"}}}}}}]", uid, uid);
}
