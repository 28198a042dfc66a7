using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Promises;

/// <summary>securityContext in real containers.</summary>
public sealed class SecurityTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_container_runs_as_the_user_asked_for_on_a_read_only_root()
    {
        await K.ApplyAsync(ShellPod("secure", "sleep 1000", """
            securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}
                volumeMounts: [{name: w, mountPath: /work}]
            """, """
            securityContext: {runAsUser: 1000, runAsGroup: 2000, fsGroup: 3000, runAsNonRoot: true}
              volumes: [{name: w, emptyDir: {}}]
            """));
        await K.ReadyAsync("secure");
        Assert.Equal("1000 2000 3000", await K.ShAsync("secure", "echo -n $(id -u) $(id -g) $(id -G | tr ' ' '\\n' | grep 3000)"));
        Assert.Contains("Read-only file system", (await K.RunAsync("exec secure -- touch /new")).Fails());
        Assert.Equal("3000", (await K.ShAsync("secure", "touch /work/new; stat -c %g /work/new")).Trim());
        var status = await K.ShAsync("secure", "cat /proc/self/status");
        Assert.Matches(@"CapEff:\s+0000000000000000", status);
        Assert.Matches(@"NoNewPrivs:\s+1", status);
        Assert.Matches(@"Seccomp:\s+2", status);
    }

    [Fact]
    public async Task An_image_of_root_is_refused_where_root_is_not_allowed()
    {
        await K.ApplyAsync(ShellPod("not-root", "sleep 1000", "securityContext: {runAsNonRoot: true}"));
        await K.WaitAsync("not-root", ".status.containerStatuses[0].state.waiting.reason", "CreateContainerConfigError");
        Assert.Contains("runAsNonRoot", await K.FieldAsync("not-root", ".status.containerStatuses[0].state.waiting.message"));
        await K.OkAsync("delete pod not-root --timeout=20s");
    }
}
