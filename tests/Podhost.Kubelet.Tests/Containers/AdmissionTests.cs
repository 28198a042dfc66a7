using Podhost.Kubelet.Node;
using Podhost.Kubelet.Tests.Support;

namespace Podhost.Kubelet.Tests.PodConfig;

/// <summary>What the configuration room knows must reach the node's admission: a pod is refused before anything of it is made.</summary>
public sealed class AdmissionTests
{
    [Theory]
    [InlineData("securityContext: {sysctls: [{name: kernel.sem, value: \"1\"}]}", "SysctlForbidden", "forbidden sysctl: \"kernel.sem\" not allowlisted")]
    [InlineData("hostUsers: false", "UnexpectedAdmissionError", "spec.hostUsers: user namespaces are not supported by the runtime of this node")]
    [InlineData("volumes: [{name: v, nfs: {server: s, path: p}}]", "UnexpectedAdmissionError", "spec.volumes[0].nfs: nfs volumes are not supported by this node")]
    public void A_pod_that_cannot_be_honoured_is_rejected(string spec, string reason, string message)
    {
        var admission = new NodeAdmission(Objects.Node(), () => null, ["kernel.msg*"]);
        var verdict = admission.Admit(Objects.Pod("containers: [{name: a}]\n" + spec), default!);
        Assert.Equal((false, reason, message), (verdict.Admitted, verdict.Reason, verdict.Message));
    }
}
