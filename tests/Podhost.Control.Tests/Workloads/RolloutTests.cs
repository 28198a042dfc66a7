using System.Globalization;
using CsCheck;
using k8s.Models;
using Podhost.Control.Controllers.Deployments;

namespace Podhost.Control.Tests.Workloads;

/// <summary>Rollouts on a world of ReplicaSets whose pods become available, or not, in any order.</summary>
public sealed class RolloutTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("25%", "25%", 4, 1, 1)]
    [InlineData("25%", "25%", 3, 1, 0)]
    [InlineData("0", "0%", 3, 0, 1)]
    [InlineData("50%", "1", 5, 3, 1)]
    [InlineData("100%", "100%", 2, 2, 2)]
    public void Shares_of_surge_round_up_and_of_unavailable_down(string surge, string unavailable, int replicas, int most, int missing)
    {
        var numbers = RolloutNumbers.Of(Deployment(replicas, surge, unavailable));
        Assert.Equal((most, missing), (numbers.MaxSurge, numbers.MaxUnavailable));
    }

    [Fact]
    public void A_rolling_update_never_leaves_its_bounds_and_arrives() => Gen.Select(Gen.Int[1, 12], Gen.Int[0, 4], Gen.Int[0, 4], Gen.Int[0, 10_000]).Sample((replicas, surge, unavailable, seed) =>
    {
        var deployment = Deployment(replicas, $"{surge}", $"{unavailable}");
        var numbers = RolloutNumbers.Of(deployment);
        var random = new Random(seed);
        List<V1ReplicaSet> sets = [Set("old", replicas, replicas, numbers, 0)];
        V1ReplicaSet? current = null;
        for (var i = 0; i < 400; i++)
        {
            var plan = RolloutDecider.Decide(deployment, sets, current, false);
            if (plan.NeedsNew)
            {
                sets.Add(current = Set("new", RolloutDecider.NewSize(numbers, sets.Sum(s => s.Spec.Replicas ?? 0), 0), 0, numbers, 1));
                continue;
            }

            foreach (var set in sets.Where(s => plan.Sizes.ContainsKey(s.Metadata.Name)))
            {
                set.Spec.Replicas = plan.Sizes[set.Metadata.Name];
                set.Status.AvailableReplicas = Math.Min(set.Status.AvailableReplicas ?? 0, set.Spec.Replicas.Value);
            }

            Assert.True(sets.Sum(s => s.Spec.Replicas ?? 0) <= numbers.Most, "more pods than the surge allows");
            Assert.True(sets.Sum(s => s.Status.AvailableReplicas ?? 0) >= numbers.MinAvailable, "fewer available pods than are allowed to be missing");

            // One of the pods that are not available yet becomes so.
            if (sets.Where(s => s.Status.AvailableReplicas < s.Spec.Replicas).ToList() is { Count: > 0 } waiting)
            {
                waiting[random.Next(waiting.Count)].Status.AvailableReplicas++;
            }
            else if (plan.Sizes.Count == 0)
            {
                break;
            }
        }

        Assert.Equal((0, replicas), (sets[0].Spec.Replicas, sets[1].Spec.Replicas));
        Assert.Equal(replicas, sets[1].Status.AvailableReplicas);
    });

    [Fact]
    public void What_is_broken_goes_first()
    {
        var deployment = Deployment(4, "1", "1");
        var numbers = RolloutNumbers.Of(deployment);
        var current = Set("new", 1, 1, numbers, 2);
        var plan = RolloutDecider.Decide(deployment, [Set("old", 4, 2, numbers, 0), current], current, false);

        // 5 pods, 3 may not become fewer available: only the two that are not available go.
        Assert.Equal(2, plan.Sizes["old"]);
    }

    [Fact]
    public void A_new_size_is_spread_over_a_rollout_in_the_middle()
    {
        var before = RolloutNumbers.Of(Deployment(10, "3", "2"));
        var deployment = Deployment(15, "3", "2");
        var (old, current) = (Set("old", 8, 8, before, 0), Set("new", 5, 0, before, 1));
        var plan = RolloutDecider.Decide(deployment, [old, current], current, false);

        // 13 pods become 18: five more, by the shares of 8 and 5.
        Assert.Equal((11, 7), (plan.Sizes["old"], plan.Sizes["new"]));
    }

    [Fact]
    public void Recreate_waits_for_the_end_of_the_old_pods()
    {
        var deployment = Deployment(3, "0", "0");
        deployment.Spec.Strategy = new V1DeploymentStrategy { Type = "Recreate" };
        var numbers = RolloutNumbers.Of(deployment);
        var old = Set("old", 3, 3, numbers, 0);
        Assert.Equal(0, RolloutDecider.Decide(deployment, [old], null, true).Sizes["old"]);
        old.Spec.Replicas = 0;
        Assert.Equal(RolloutPlan.Nothing, RolloutDecider.Decide(deployment, [old], null, true));
        Assert.True(RolloutDecider.Decide(deployment, [old], null, false).NeedsNew);
    }

    [Fact]
    public void A_paused_deployment_is_scaled_and_not_rolled()
    {
        var deployment = Deployment(5, "1", "1");
        deployment.Spec.Paused = true;
        var old = Set("old", 3, 3, RolloutNumbers.Of(Deployment(3, "1", "1")), 0);
        var plan = RolloutDecider.Decide(deployment, [old], null, false);
        Assert.False(plan.NeedsNew);
        Assert.Equal(5, plan.Sizes["old"]);
    }

    [Fact]
    public void A_rollout_that_does_not_move_is_stuck_after_its_deadline()
    {
        var deployment = Deployment(1, "1", "0");
        deployment.Spec.ProgressDeadlineSeconds = 60;
        var set = Set("new", 1, 0, RolloutNumbers.Of(deployment), 0);
        deployment.Status = RolloutStatus.Of(deployment, [set], set, isNew: true, Now);
        Assert.Equal(("True", "NewReplicaSetCreated"), Progress(deployment.Status));
        Assert.Equal(TimeSpan.FromSeconds(61), RolloutStatus.Deadline(deployment, deployment.Status, Now));
        deployment.Status = RolloutStatus.Of(deployment, [set], set, isNew: false, Now.AddSeconds(61));
        Assert.Equal(("False", "ProgressDeadlineExceeded"), Progress(deployment.Status));
        (set.Status.Replicas, set.Status.ReadyReplicas, set.Status.AvailableReplicas) = (1, 1, 1);
        deployment.Status = RolloutStatus.Of(deployment, [set], set, isNew: false, Now.AddSeconds(90));
        Assert.Equal(("True", "NewReplicaSetAvailable"), Progress(deployment.Status));
    }

    [Fact]
    public void The_hash_of_a_template_knows_nothing_of_its_own_label()
    {
        var template = new V1PodTemplateSpec { Metadata = new V1ObjectMeta { Labels = new Dictionary<string, string> { ["a"] = "b" } }, Spec = new V1PodSpec { Containers = [new V1Container { Name = "c" }] } };
        var hash = DeploymentNames.HashOf(template, 0);
        template.Metadata.Labels[DeploymentNames.TemplateHash] = hash;
        Assert.Equal(hash, DeploymentNames.HashOf(template, 0));
        Assert.NotEqual(hash, DeploymentNames.HashOf(template, 1));
        template.Spec.Containers[0].Image = "i";
        Assert.NotEqual(hash, DeploymentNames.HashOf(template, 0));
    }

    private static (string, string) Progress(V1DeploymentStatus status) => status.Conditions.Where(c => c.Type == "Progressing").Select(c => (c.Status, c.Reason)).Single();

    private static V1Deployment Deployment(int replicas, string surge, string unavailable) => new()
    {
        Metadata = new V1ObjectMeta { Name = "d", NamespaceProperty = "ns", Uid = "d" },
        Spec = new V1DeploymentSpec
        {
            Replicas = replicas,
            Selector = new V1LabelSelector(),
            Template = new V1PodTemplateSpec(),
            Strategy = new V1DeploymentStrategy
            {
                Type = "RollingUpdate",
                RollingUpdate = new V1RollingUpdateDeployment { MaxSurge = surge, MaxUnavailable = unavailable },
            },
        },
    };

    private static V1ReplicaSet Set(string name, int size, int available, RolloutNumbers numbers, int age) => new()
    {
        Metadata = new V1ObjectMeta
        {
            Name = name,
            Uid = name,
            CreationTimestamp = Now.UtcDateTime.AddSeconds(age),
            Annotations = new Dictionary<string, string>
            {
                [DeploymentNames.DesiredReplicas] = numbers.Replicas.ToString(CultureInfo.InvariantCulture),
                [DeploymentNames.MaxReplicas] = numbers.Most.ToString(CultureInfo.InvariantCulture),
            },
        },
        Spec = new V1ReplicaSetSpec { Replicas = size, Selector = new V1LabelSelector(), Template = new V1PodTemplateSpec() },
        Status = new V1ReplicaSetStatus { Replicas = size, AvailableReplicas = available },
    };
}
