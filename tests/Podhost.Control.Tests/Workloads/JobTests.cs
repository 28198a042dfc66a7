using CsCheck;
using k8s.Models;
using Podhost.Control.Controllers.Jobs;

namespace Podhost.Control.Tests.Workloads;

/// <summary>Jobs on a world of pods that end in any way, with a controller that may stop after any step.</summary>
public sealed class JobTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("0-4", new[] { 0, 1, 2, 3, 4 })]
    [InlineData("0,1", new[] { 0, 1 })]
    [InlineData("1,3-5,7", new[] { 1, 3, 4, 5, 7 })]
    [InlineData(null, new int[0])]
    public void Indexes_are_written_as_upstream_writes_them(string? text, int[] indexes)
    {
        Assert.Equal(text, IndexSet.Print(indexes));
        Assert.Equal(indexes, IndexSet.Parse(text));
    }

    [Fact]
    public void Every_end_counts_once_whatever_the_controller_loses() => Gen.Select(Gen.Int[1, 6], Gen.Int[1, 4], Gen.Bool, Gen.Int[0, 100_000]).Sample((completions, parallelism, indexed, seed) =>
    {
        var world = new World(completions, parallelism, indexed, new Random(seed));
        for (var i = 0; i < 600 && !JobNames.IsFinished(world.Job); i++)
        {
            world.Step();
        }

        Assert.True(JobNames.Has(world.Job, "Complete"), "the job is not complete");
        world.Drain();
        Assert.Equal(completions, world.Job.Status.Succeeded);
        Assert.Equal(world.Failures, world.Job.Status.Failed ?? 0);
        Assert.DoesNotContain(world.Pods, JobNames.IsTracked);
        Assert.True(world.MostActive <= parallelism, "more pods at once than parallelism allows");
    });

    [Fact]
    public void A_job_fails_past_its_limit_and_deletes_what_runs()
    {
        var job = Job(completions: 3, parallelism: 2, indexed: false);
        job.Spec.BackoffLimit = 0;
        var plan = JobDecider.Decide(job, [Pod("a", "Failed"), Pod("b", "Running")], Start);
        Assert.Equal("BackoffLimitExceeded", plan.Status.Conditions.Single(c => c.Type == "FailureTarget").Reason);
        Assert.Equal("b", Assert.Single(plan.Delete).Metadata.Uid);
        Assert.DoesNotContain(plan.Status.Conditions, c => c.Type == "Failed");
    }

    [Theory]
    [InlineData("0-1", null, new[] { 0, 1 }, true)]
    [InlineData("0-1", null, new[] { 0, 2 }, false)]
    [InlineData("0,3-4", 2, new[] { 0, 1, 4 }, true)]
    [InlineData("0,3-4", 2, new[] { 0, 1, 2 }, false)]
    [InlineData(null, 2, new[] { 1, 4 }, true)]
    [InlineData(null, 3, new[] { 1, 4 }, false)]
    public void A_success_policy_ends_a_job_before_all_indexes_have_succeeded(string? indexes, int? count, int[] succeeded, bool ends)
    {
        var job = Job(completions: 5, parallelism: 5, indexed: true);
        job.Spec.SuccessPolicy = new V1SuccessPolicy { Rules = [new() { SucceededCount = 5 }, new() { SucceededIndexes = indexes, SucceededCount = count }] };
        job.Status = new V1JobStatus { CompletedIndexes = IndexSet.Print(succeeded), Succeeded = succeeded.Length };
        var plan = JobDecider.Decide(job, [Indexed("late", 3, "Running")], Start);
        Assert.Equal(ends ? 1 : 0, plan.Delete.Count);
        Assert.Equal(ends ? "SuccessPolicy: Matched rules at index 1" : null, plan.Status.Conditions?.Where(c => c.Type == "SuccessCriteriaMet").Select(c => $"{c.Reason}: {c.Message}").SingleOrDefault());

        // Over when nothing is alive any more.
        var done = JobDecider.Decide(job, [], Start);
        Assert.Equal(ends ? "SuccessPolicy" : null, done.Status.Conditions?.SingleOrDefault(c => c.Type == "Complete")?.Reason);
    }

    [Fact]
    public void A_deadline_wakes_and_ends_the_job()
    {
        var job = Job(1, 1, false);
        (job.Spec.ActiveDeadlineSeconds, job.Status) = (30, new V1JobStatus { StartTime = Start.UtcDateTime });
        Assert.Equal(TimeSpan.FromSeconds(20), JobDecider.Decide(job, [Pod("a", "Running")], Start.AddSeconds(10)).WakeAfter);
        var plan = JobDecider.Decide(job, [Pod("a", "Running")], Start.AddSeconds(30));
        Assert.Equal("DeadlineExceeded", plan.Status.Conditions.Single().Reason);
        Assert.Single(plan.Delete);
    }

    [Fact]
    public void A_smaller_indexed_job_gives_up_the_indexes_that_it_no_longer_has_and_forgets_their_ends()
    {
        var job = Job(completions: 3, parallelism: 2, indexed: true);
        job.Status = new V1JobStatus { CompletedIndexes = "2,5-6", Succeeded = 3 };
        var (zero, twin, four) = (Indexed("zero", 0, "Running"), Indexed("twin", 0, "Running"), Indexed("four", 4, "Running"));
        zero.Status.Conditions = [new V1PodCondition { Type = "Ready", Status = "True", LastTransitionTime = Start.AddHours(-1).UtcDateTime }];
        var plan = JobDecider.Decide(job, [four, twin, zero], Start);
        Assert.Equal(["four", "twin"], plan.Delete.Select(p => p.Metadata.Uid).Order());
        Assert.Equal(("2", 1), (plan.Status.CompletedIndexes, plan.Status.Succeeded));

        // Where the number alone is wrong, what is not ready goes first.
        job.Spec.Parallelism = 1;
        Assert.Equal("one", Assert.Single(JobDecider.Decide(job, [zero, Indexed("one", 1, "Running")], Start).Delete).Metadata.Uid);
    }

    [Fact]
    public void Failures_in_a_row_double_the_wait()
    {
        var job = Job(1, 1, false);
        var plan = JobDecider.Decide(job, [Pod("a", "Failed", Start), Pod("b", "Failed", Start.AddSeconds(15))], Start.AddSeconds(16));
        Assert.Empty(plan.Create);
        Assert.Equal(TimeSpan.FromSeconds(19), plan.WakeAfter);
        Assert.Single(JobDecider.Decide(job, [Pod("a", "Failed", Start), Pod("b", "Failed", Start.AddSeconds(15))], Start.AddSeconds(35)).Create);
    }

    [Fact]
    public void A_suspended_job_has_no_pods_and_no_start()
    {
        var job = Job(1, 1, false);
        job.Spec.Suspend = true;
        var plan = JobDecider.Decide(job, [Pod("a", "Running")], Start);
        Assert.Single(plan.Delete);
        Assert.Null(plan.Status.StartTime);
        Assert.Equal("JobSuspended", plan.Status.Conditions.Single().Reason);
    }

    [Fact]
    public void A_policy_ignores_a_disruption_and_ends_the_job_for_an_exit_code()
    {
        var job = Job(1, 1, false);
        job.Spec.PodFailurePolicy = new V1PodFailurePolicy
        {
            Rules =
            [
                new V1PodFailurePolicyRule { Action = "Ignore", OnPodConditions = [new V1PodFailurePolicyOnPodConditionsPattern { Type = "DisruptionTarget", Status = "True" }] },
                new V1PodFailurePolicyRule { Action = "FailJob", OnExitCodes = new V1PodFailurePolicyOnExitCodesRequirement { OperatorProperty = "In", Values = [42] } },
            ],
        };
        var evicted = Pod("a", "Failed");
        evicted.Status.Conditions = [new V1PodCondition { Type = "DisruptionTarget", Status = "True" }];
        var ignored = JobDecider.Decide(job, [evicted], Start);
        Assert.Null(ignored.Status.UncountedTerminatedPods.Failed);
        Assert.Single(ignored.Settled);
        var failed = Pod("b", "Failed");
        failed.Status.ContainerStatuses[0].State.Terminated.ExitCode = 42;
        var verdict = JobDecider.Decide(job, [failed], Start).Status.Conditions.Single(c => c.Type == "FailureTarget");
        Assert.Equal(("PodFailurePolicy", "Container c for pod ns/b failed with exit code 42 matching FailJob rule at index 1"), (verdict.Reason, verdict.Message));
    }

    [Fact]
    public void Each_index_has_its_own_limit_and_its_own_back_off()
    {
        var job = Job(completions: 3, parallelism: 3, indexed: true);
        job.Spec.BackoffLimitPerIndex = 1;
        var first = Indexed("a", 0, "Failed", failures: 0, Start);
        var running = new[] { Indexed("b", 1, "Running"), Indexed("c", 2, "Running") };

        // The first failure is not counted before the next pod, which learns of it.
        var waiting = JobDecider.Decide(job, [first, .. running], Start.AddSeconds(3));
        Assert.Equal((TimeSpan.FromSeconds(7), 0, 0), (waiting.WakeAfter, waiting.Create.Count, waiting.Settled.Count));
        Assert.Equal("", waiting.Status.FailedIndexes);
        var again = JobDecider.Decide(job, [first, .. running], Start.AddSeconds(10));
        Assert.Equal([0], again.Create);
        var second = JobPods.Make(job, 0, again.Replaced[0]);
        Assert.Equal("1", second.Metadata.Annotations[IndexFailures.Count]);
        second.Metadata.Uid = "d";
        Assert.Equal("a", Assert.Single(JobDecider.Decide(job, [first, second, .. running], Start.AddSeconds(10)).Settled).Metadata.Uid);

        // The second one is the last of this index; the others go on.
        var last = Indexed("d", 0, "Failed", failures: 1, Start);
        var failed = JobDecider.Decide(job, [last, .. running], Start.AddSeconds(60));
        Assert.Equal(("0", 0, 0), (failed.Status.FailedIndexes, failed.Create.Count, failed.Delete.Count));
        Assert.Single(failed.Settled);
        job.Status = failed.Status;
        var over = JobDecider.Decide(job, [Indexed("b", 1, "Succeeded"), Indexed("c", 2, "Succeeded")], Start.AddSeconds(60));
        Assert.Equal("FailedIndexes", over.Status.Conditions.Single(c => c.Type == "FailureTarget").Reason);
        Assert.Equal(("1,2", "0"), (over.Status.CompletedIndexes, over.Status.FailedIndexes));
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(1, null)]
    [InlineData(0, "MaxFailedIndexesExceeded")]
    public void More_failed_indexes_than_allowed_end_the_job(int? most, string? reason)
    {
        var job = Job(completions: 3, parallelism: 3, indexed: true);
        (job.Spec.BackoffLimitPerIndex, job.Spec.MaxFailedIndexes) = (0, most);
        var plan = JobDecider.Decide(job, [Indexed("b", 1, "Failed"), Indexed("c", 2, "Running")], Start);
        Assert.Equal(reason, plan.Status.Conditions?.Single(c => c.Type == "FailureTarget").Reason);
        Assert.Equal(reason is null ? 0 : 1, plan.Delete.Count);
    }

    [Fact]
    public void A_policy_fails_one_index_and_ignores_another_failure()
    {
        var job = Job(completions: 2, parallelism: 2, indexed: true);
        job.Spec.BackoffLimitPerIndex = 5;
        job.Spec.PodFailurePolicy = new V1PodFailurePolicy
        {
            Rules =
            [
                new V1PodFailurePolicyRule { Action = "FailIndex", OnExitCodes = new V1PodFailurePolicyOnExitCodesRequirement { OperatorProperty = "In", Values = [42] } },
                new V1PodFailurePolicyRule { Action = "Ignore", OnPodConditions = [new V1PodFailurePolicyOnPodConditionsPattern { Type = "DisruptionTarget", Status = "True" }] },
            ],
        };
        var (final, evicted) = (Indexed("a", 0, "Failed"), Indexed("b", 1, "Failed", failures: 2));
        final.Status.ContainerStatuses[0].State.Terminated.ExitCode = 42;
        evicted.Status.Conditions = [new V1PodCondition { Type = "DisruptionTarget", Status = "True" }];
        var plan = JobDecider.Decide(job, [final, evicted], Start);
        Assert.Equal("0", plan.Status.FailedIndexes);
        Assert.Equal([1], plan.Create);
        var next = JobPods.Make(job, 1, plan.Replaced[1]).Metadata.Annotations;
        Assert.Equal(("2", "1"), (next[IndexFailures.Count], next[IndexFailures.IgnoredCount]));
    }

    private static V1Pod Indexed(string uid, int index, string phase, int failures = 0, DateTimeOffset? end = null)
    {
        var pod = Pod(uid, phase, end);
        pod.Metadata.Annotations = new Dictionary<string, string> { [JobNames.CompletionIndex] = $"{index}", [IndexFailures.Count] = $"{failures}" };
        return pod;
    }

    private static V1Job Job(int completions, int parallelism, bool indexed) => new()
    {
        Metadata = new V1ObjectMeta { Name = "j", NamespaceProperty = "ns", Uid = "j" },
        Spec = new V1JobSpec
        {
            Completions = completions,
            Parallelism = parallelism,
            BackoffLimit = 1000,
            CompletionMode = indexed ? "Indexed" : "NonIndexed",
            PodReplacementPolicy = "TerminatingOrFailed",
            Template = new V1PodTemplateSpec { Spec = new V1PodSpec { RestartPolicy = "Never", Containers = [new V1Container { Name = "c" }] } },
        },
    };

    private static V1Pod Pod(string uid, string phase, DateTimeOffset? end = null) => new()
    {
        Metadata = new V1ObjectMeta { Name = uid, NamespaceProperty = "ns", Uid = uid, Finalizers = [JobNames.Tracking] },
        Spec = new V1PodSpec(),
        Status = new V1PodStatus
        {
            Phase = phase,
            ContainerStatuses = phase is "Running" ? null
                : [new V1ContainerStatus { Name = "c", State = new V1ContainerState { Terminated = new V1ContainerStateTerminated { ExitCode = 1, FinishedAt = (end ?? Start.AddHours(-1)).UtcDateTime } } }],
        },
    };

    private sealed class World(int completions, int parallelism, bool indexed, Random random)
    {
        private DateTimeOffset now = Start;
        private int made;

        public V1Job Job { get; } = JobTests.Job(completions, parallelism, indexed);

        public List<V1Pod> Pods { get; } = [];

        public int Failures { get; private set; }

        public int MostActive { get; private set; }

        public void Step()
        {
            now += TimeSpan.FromMinutes(random.Next(1, 20));
            foreach (var pod in Pods.Where(p => p.Status.Phase == "Running" && random.Next(2) == 0).ToList())
            {
                End(pod, random.Next(3) > 0);
            }

            Sync(stopAfter: random.Next(6));
        }

        public void Drain()
        {
            for (var i = 0; i < 5; i++)
            {
                Sync(stopAfter: 10);
            }
        }

        private void End(V1Pod pod, bool succeeded)
        {
            Failures += succeeded ? 0 : 1;
            pod.Status = Pod("x", succeeded ? "Succeeded" : "Failed", now).Status;
        }

        /// <summary>As the controller does it, cut off after some of the steps.</summary>
        private void Sync(int stopAfter)
        {
            var plan = JobDecider.Decide(Job, Pods, now);
            if (stopAfter-- == 0)
            {
                return;
            }

            Job.Status = plan.Status;
            foreach (var pod in plan.Settled.TakeWhile(_ => stopAfter-- > 0))
            {
                pod.Metadata.Finalizers = null;
            }

            // A job whose pods lost their finalizer may also lose the pods themselves.
            Pods.RemoveAll(p => p.Metadata.Finalizers is null && random.Next(4) == 0);
            foreach (var pod in plan.Delete)
            {
                End(pod, succeeded: false);
            }

            foreach (var index in plan.Create.TakeWhile(_ => stopAfter-- > 0))
            {
                var pod = Pod($"p{made++}", "Running");
                pod.Metadata.Annotations = index < 0 ? null : new Dictionary<string, string> { [JobNames.CompletionIndex] = $"{index}" };
                Pods.Add(pod);
            }

            MostActive = Math.Max(MostActive, Pods.Count(p => p.Status.Phase == "Running"));
        }
    }
}
