using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Workloads;

/// <summary>Jobs and CronJobs, as kubectl drives them.</summary>
public sealed class JobTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task An_indexed_job_gives_each_pod_its_index_and_counts_each_end()
    {
        await K.ApplyAsync(Job("many", "echo index $JOB_COMPLETION_INDEX on $HOSTNAME", "completions: 4, parallelism: 2, completionMode: Indexed"));
        await K.OkAsync("wait job/many --for=condition=complete --timeout=60s");
        Assert.Equal("4,0-3", await K.OkAsync("get job many -o jsonpath={.status.succeeded},{.status.completedIndexes}"));
        var logs = await K.OkAsync("logs -l batch.kubernetes.io/job-name=many");
        Assert.All(Enumerable.Range(0, 4), i => Assert.Contains($"index {i} on many-{i}", logs));
        Assert.Contains("4/4", await K.OkAsync("get job many"));
        Assert.DoesNotContain("job-tracking", await K.OkAsync("get pods -l batch.kubernetes.io/job-name=many -o yaml"));
        await K.OkAsync("delete job many");
        await K.OkAsync("wait --for=delete pods -l batch.kubernetes.io/job-name=many --timeout=60s");
    }

    [Fact]
    public async Task A_job_that_fails_says_why()
    {
        await K.ApplyAsync(Job("bad", "exit 3", "backoffLimit: 0"));
        await K.OkAsync("wait job/bad --for=condition=failed --timeout=60s");
        Assert.Equal("1", await K.OkAsync("get job bad -o jsonpath={.status.failed}"));
        Assert.Contains("BackoffLimitExceeded", await K.OkAsync("describe job bad"));
    }

    [Fact]
    public async Task A_job_takes_back_a_pod_that_lost_its_owner_and_lets_one_go_that_lost_its_labels()
    {
        await K.ApplyAsync(Job("keeper", "sleep 3600", "parallelism: 1"));
        await K.OkAsync("wait job/keeper --for=jsonpath={.status.ready}=1 --timeout=60s");
        var (pod, uid) = (await K.OkAsync("get pods -l batch.kubernetes.io/job-name=keeper -o jsonpath={.items[0].metadata.name}"), await K.OkAsync("get job keeper -o jsonpath={.metadata.uid}"));
        await K.OkAsync($$$"""patch pod {{{pod}}} --type=merge -p {"metadata":{"ownerReferences":null}}""");
        await K.OkAsync($"wait pod/{pod} --for=jsonpath={{.metadata.ownerReferences[0].uid}}={uid} --timeout=60s");
        Assert.Contains("job-tracking", await K.OkAsync($"get pod {pod} -o jsonpath={{.metadata.finalizers}}"));

        // Let go, it is nobody's: nothing keeps it from being deleted, and another takes its place.
        await K.OkAsync($$$"""patch pod {{{pod}}} --type=merge -p {"metadata":{"labels":null}}""");
        (await K.ShellAsync($"while [ -n \"$($K get pod {pod} -o jsonpath={{.metadata.ownerReferences}})\" ]; do sleep 0.2; done", TimeSpan.FromSeconds(60))).Ok();
        await K.OkAsync("wait job/keeper --for=jsonpath={.status.ready}=1 --timeout=60s");
        Assert.Equal("", await K.OkAsync($"get pod {pod} -o jsonpath={{.metadata.ownerReferences}}{{.metadata.finalizers}}"));
        await K.OkAsync($"delete pod {pod} --grace-period=1");
        await K.OkAsync("delete job keeper");
    }

    [Fact]
    public async Task Each_index_of_a_job_has_a_limit_of_its_own()
    {
        await K.ApplyAsync(Job("odd", "exit $((JOB_COMPLETION_INDEX % 2))", "completions: 4, parallelism: 4, completionMode: Indexed, backoffLimitPerIndex: 1"));
        await K.OkAsync("wait job/odd --for=condition=failed --timeout=90s");
        Assert.Equal("1,3;0,2;4;2", await K.OkAsync("get job odd -o jsonpath={.status.failedIndexes};{.status.completedIndexes};{.status.failed};{.status.succeeded}"));
        Assert.Equal("FailedIndexes", await K.OkAsync("get job odd -o jsonpath={.status.conditions[?(@.type==\"FailureTarget\")].reason}"));
    }

    [Fact]
    public async Task A_finished_job_goes_after_its_time_to_live()
    {
        await K.ApplyAsync(Job("brief", "true", "ttlSecondsAfterFinished: 0"));
        await K.OkAsync("wait job/brief --for=delete --timeout=60s");
    }

    [Fact]
    public async Task A_cron_job_is_the_template_of_jobs()
    {
        await K.ApplyAsync("""
            apiVersion: batch/v1
            kind: CronJob
            metadata: {name: tick}
            spec:
              schedule: "0 0 1 1 *"
              jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: "busybox:stable", command: [echo, tick]}]}}}}
            """);
        Assert.Contains("0 0 1 1 *", await K.OkAsync("get cronjob tick"));
        await K.OkAsync("create job once --from=cronjob/tick");
        await K.OkAsync("wait job/once --for=condition=complete --timeout=60s");
        Assert.Equal("tick", (await K.OkAsync("logs job/once")).Trim());
        await K.OkAsync("delete cronjob tick");
        await K.OkAsync("wait job/once --for=delete --timeout=60s");
    }

    private static string Job(string name, string script, string more) => $$$"""
        apiVersion: batch/v1
        kind: Job
        metadata: {name: {{{name}}}}
        spec: { {{{more}}}, template: {spec: {restartPolicy: Never, containers: [{name: main, image: "busybox:stable", command: [sh, -c, "{{{script}}}"]}]}} }
        """;
}
