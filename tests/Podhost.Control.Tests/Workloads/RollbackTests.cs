using k8s.Models;
using Podhost.Control.Controllers.Deployments;
using Podhost.Control.Controllers.Workloads;

namespace Podhost.Control.Tests.Workloads;

/// <summary>Deployments that are told by an annotation to go back, and what counts as progress of one.</summary>
public sealed class RollbackTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("0", "DeploymentRollback", "two")]
    [InlineData("1", "DeploymentRollback", "one")]
    [InlineData("3", "DeploymentRollbackTemplateUnchanged", "three")]
    [InlineData("7", "DeploymentRollbackRevisionNotFound", "three")]
    public void A_deployment_goes_back_to_the_template_of_a_revision(string to, string reason, string image)
    {
        var deployment = Deployment("three");
        deployment.Metadata.Annotations = new Dictionary<string, string> { [DeploymentNames.RollbackTo] = to, [DeploymentNames.Revision] = "3", ["note"] = "three" };
        var plan = Rollback.Decide(deployment, [Set("one", 1), Set("two", 2), Set("three", 3)])!;
        Assert.Equal((reason, image), (plan.Reason, plan.Deployment.Spec.Template.Spec.Containers[0].Image));
        Assert.DoesNotContain(DeploymentNames.RollbackTo, plan.Deployment.Metadata.Annotations.Keys);
        Assert.Equal(("3", image), (plan.Deployment.Metadata.Annotations[DeploymentNames.Revision], plan.Deployment.Metadata.Annotations["note"]));
        Assert.DoesNotContain(DeploymentNames.TemplateHash, plan.Deployment.Spec.Template.Metadata.Labels.Keys);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("the last one")]
    public void Nobody_goes_back_who_is_not_told_where_to(string? to)
    {
        var deployment = Deployment("three");
        deployment.Metadata.Annotations = to is null ? null : new Dictionary<string, string> { [DeploymentNames.RollbackTo] = to };
        Assert.Null(Rollback.Decide(deployment, [Set("one", 1)]));
    }

    [Fact]
    public void A_rollout_that_is_over_stays_so_when_the_size_changes()
    {
        var deployment = Deployment("three");
        (deployment.Spec.Replicas, deployment.Spec.ProgressDeadlineSeconds) = (3, 600);
        var done = new V1DeploymentCondition { Type = "Progressing", Status = "True", Reason = "NewReplicaSetAvailable", Message = "done", LastUpdateTime = Now.AddHours(-1).UtcDateTime };
        deployment.Status = new V1DeploymentStatus { Replicas = 1, UpdatedReplicas = 1, ReadyReplicas = 1, AvailableReplicas = 1, Conditions = [done] };
        var set = Set("three", 3);
        (set.Spec.Replicas, set.Status) = (3, new V1ReplicaSetStatus { Replicas = 3, ReadyReplicas = 2, AvailableReplicas = 2, TerminatingReplicas = 1 });
        var status = RolloutStatus.Of(deployment, [set], set, isNew: false, Now);
        Assert.Equal(done.LastUpdateTime, status.Conditions.Single(c => c.Type == "Progressing").LastUpdateTime);
        Assert.Equal(1, status.TerminatingReplicas);

        // Where nobody asks for progress, none is told.
        deployment.Spec.ProgressDeadlineSeconds = null;
        Assert.DoesNotContain(RolloutStatus.Of(deployment, [set], set, isNew: false, Now).Conditions, c => c.Type == "Progressing");
    }

    [Fact]
    public void A_revision_has_its_fields_in_the_order_of_their_names()
    {
        var template = Deployment("one").Spec.Template;
        template.Metadata.Labels = new Dictionary<string, string> { ["b"] = "2", ["a"] = "1" };
        Assert.Equal(
            """{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"a":"1","b":"2"}},"spec":{"containers":[{"image":"one","name":"c"}]}}}}""",
            RevisionRules.DataOf(template).ToJsonString());
    }

    private static V1Deployment Deployment(string image) => new()
    {
        Metadata = new V1ObjectMeta { Name = "web", NamespaceProperty = "ns", Uid = "web", Generation = 1 },
        Spec = new V1DeploymentSpec { Template = Template(image) },
    };

    private static V1ReplicaSet Set(string image, long revision)
    {
        var template = Template(image);
        template.Metadata.Labels[DeploymentNames.TemplateHash] = image;
        return new V1ReplicaSet
        {
            Metadata = new V1ObjectMeta { Name = image, Uid = image, Annotations = new Dictionary<string, string> { [DeploymentNames.Revision] = $"{revision}", ["note"] = image } },
            Spec = new V1ReplicaSetSpec { Template = template },
        };
    }

    private static V1PodTemplateSpec Template(string image) => new()
    {
        Metadata = new V1ObjectMeta { Labels = new Dictionary<string, string> { ["app"] = "web" } },
        Spec = new V1PodSpec { Containers = [new V1Container { Name = "c", Image = image }] },
    };
}
