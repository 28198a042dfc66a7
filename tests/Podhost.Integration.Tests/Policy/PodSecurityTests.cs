using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Policy;

/// <summary>Pod Security admission, as kubectl shows it.</summary>
public sealed class PodSecurityTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_namespace_that_enforces_restricted_takes_hardened_pods_only()
    {
        await K.OkAsync("create namespace strict");
        await K.OkAsync("label namespace strict pod-security.kubernetes.io/enforce=restricted");
        var strict = Cluster.Kubectl.In("strict");
        var refused = (await strict.RunAsync("run plain --image=busybox:stable -- sleep 1000")).Fails();
        Assert.Contains(
            "Error from server (Forbidden): pods \"plain\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false "
            + "(container \"plain\" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities "
            + "(container \"plain\" must set securityContext.capabilities.drop=[\"ALL\"])", refused);
        await strict.ApplyAsync(ShellPod(
            "hard", "sleep 1000", "securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}",
            "securityContext: {runAsUser: 1000, runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}"));
        await strict.ReadyAsync("hard");
        await K.OkAsync("delete namespace strict --wait=false");
    }

    [Fact]
    public async Task A_warning_is_printed_and_existing_pods_are_named()
    {
        await K.OkAsync("create namespace mild");
        await K.OkAsync("label namespace mild pod-security.kubernetes.io/warn=baseline");
        var mild = Cluster.Kubectl.In("mild");
        var ran = await mild.RunAsync(["apply", "-f", "-"], ShellPod("host", "sleep 1000", podMore: "hostNetwork: true"));
        Assert.Equal(0, ran.Code);
        Assert.Contains("Warning: would violate PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true)", ran.Error);
        var labelled = await K.RunAsync("label --overwrite namespace mild pod-security.kubernetes.io/enforce=baseline");
        Assert.Contains("Warning: existing pods in namespace \"mild\" violate the new PodSecurity enforce level \"baseline:latest\"", labelled.Error);
        Assert.Contains("Warning: host: host namespaces", labelled.Error);
        await K.OkAsync("delete namespace mild --wait=false");
    }
}
