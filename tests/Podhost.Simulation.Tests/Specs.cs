using k8s.Models;

namespace Podhost.Simulation.Tests;

/// <summary>Pods of the simulations.</summary>
internal static class Specs
{
    /// <summary>A server pod as a seed makes it: one to three containers, perhaps a sidecar, an init container, hooks.</summary>
    public static V1PodSpec Server(Random random)
    {
        var spec = new V1PodSpec
        {
            RestartPolicy = "Always",
            TerminationGracePeriodSeconds = 30,
            InitContainers = random.Next(2) == 0 ? null : [Named("side", "Always")],
            Containers = [.. Enumerable.Range(0, random.Next(1, 4)).Select(i => Named("app" + i))],
        };
        if (random.Next(3) == 0)
        {
            spec.Containers[0].Lifecycle = Hooks();
        }

        return spec;
    }

    /// <summary>Two containers beside a sidecar, with hooks: what has the most steps.</summary>
    public static V1PodSpec Rich()
    {
        var spec = new V1PodSpec
        {
            RestartPolicy = "Always",
            TerminationGracePeriodSeconds = 30,
            InitContainers = [Named("init"), Named("side", "Always")],
            Containers = [Named("app0"), Named("app1")],
        };
        spec.Containers[0].Lifecycle = Hooks();
        return spec;
    }

    /// <summary>As <see cref="Rich"/>, with a container whose exit code 42 restarts them all.</summary>
    public static V1PodSpec Asking()
    {
        var spec = Rich();
        spec.RestartPolicy = "Never";
        spec.Containers[1].RestartPolicy = "Never";
        spec.Containers[1].RestartPolicyRules =
            [new V1ContainerRestartRule { Action = "RestartAllContainers", ExitCodes = new V1ContainerRestartRuleOnExitCodes { OperatorProperty = "In", Values = [42] } }];
        return spec;
    }

    /// <summary>A pod that ends: an init container, then one container.</summary>
    public static V1PodSpec Task(string restartPolicy) => new()
    {
        RestartPolicy = restartPolicy,
        TerminationGracePeriodSeconds = 30,
        InitContainers = [Named("init")],
        Containers = [Named("app0")],
    };

    private static V1Container Named(string name, string? restartPolicy = null) => new() { Name = name, Image = "i:1", RestartPolicy = restartPolicy };

    private static V1Lifecycle Hooks() => new()
    {
        PreStop = new V1LifecycleHandler { Sleep = new V1SleepAction { Seconds = 1 } },
        PostStart = new V1LifecycleHandler { Sleep = new V1SleepAction { Seconds = 1 } },
    };
}
