using System.Globalization;
using k8s.Models;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>Which image a container starts from: pull policy, back-off, and what the user sees of both.</summary>
internal static class ImageRules
{
    /// <summary>How long a fresh failure is shown as itself before it is shown as a back-off.</summary>
    private static readonly TimeSpan ShownAsError = TimeSpan.FromSeconds(5);

    /// <summary>The image for the container's next instance, or null where it is not here yet: then the effects that bring it are wanted.</summary>
    public static string? Ensure(DecisionPass pass, ContainerSpec spec, uint attempt)
    {
        var image = spec.Container.Image ?? "";
        var memory = pass.Memory.Images.GetValueOrDefault(spec.Name);
        if (memory is null || memory.Image != image)
        {
            memory = new ImageMemory { Image = image, Attempt = attempt };
            Remember(pass, spec, memory);
        }

        if (memory.Ref is { } granted)
        {
            return granted;
        }

        if (!ImageName.IsValid(image))
        {
            Remember(pass, spec, memory with
            {
                Reason = "InvalidImageName",
                Message = $"Failed to apply default image tag \"{image}\": couldn't parse image name \"{image}\": invalid reference format",
                FailedAt = memory.Reason.Length == 0 ? pass.Now : memory.FailedAt,
            });
            if (memory.Reason.Length == 0)
            {
                pass.Warn("InspectFailed", pass.Memory.Images[spec.Name].Message, spec);
                pass.Warn("Failed", "Error: InvalidImageName", spec);
            }

            return null;
        }

        Bring(pass, spec, memory);
        return null;
    }

    /// <summary>The waiting reason and message of a container whose image is not here.</summary>
    public static (string Reason, string Message)? Waiting(DecisionPass pass, string container)
    {
        if (!pass.Memory.Images.TryGetValue(container, out var memory) || memory.Reason.Length == 0 || memory.Ref is not null)
        {
            return null;
        }

        if (memory.Reason == "ErrImagePull" && pass.Now >= memory.FailedAt + ShownAsError)
        {
            return ("ImagePullBackOff", $"Back-off pulling image \"{memory.Image}\": ErrImagePull: {memory.Message}");
        }

        return (memory.Reason, memory.Message);
    }

    /// <summary>What an inspection or a pull found.</summary>
    public static void Fold(DecisionPass pass, EffectOutcome outcome)
    {
        var (container, image) = outcome.Effect switch
        {
            InspectImage i => (i.Container, i.Image),
            PullImage p => (p.Container, p.Image),
            _ => throw new ArgumentException($"{outcome.Effect} is about no image"),
        };
        var memory = pass.Memory.Images.GetValueOrDefault(container);
        var spec = pass.Spec(container);
        if (memory is null || memory.Image != image || spec is null)
        {
            return;
        }

        if (outcome.Failure is { } failure)
        {
            Failed(pass, spec, memory, outcome, failure);
        }
        else if (outcome.Effect is InspectImage)
        {
            Inspected(pass, spec, memory, outcome);
        }
        else
        {
            pass.Normal("Pulled", PulledMessage(image, outcome), spec);
            Remember(pass, spec, memory with { Ref = outcome.Image!.Id, Reason = "", Message = "", Delay = TimeSpan.Zero });
        }
    }

    /// <summary>Always for <c>:latest</c> and for no tag, else IfNotPresent, where the spec does not say.</summary>
    public static string PolicyOf(V1Container container)
    {
        if (!string.IsNullOrEmpty(container.ImagePullPolicy))
        {
            return container.ImagePullPolicy;
        }

        return ImageName.HasLatestTag(container.Image ?? "") ? "Always" : "IfNotPresent";
    }

    private static void Bring(DecisionPass pass, ContainerSpec spec, ImageMemory memory)
    {
        var policy = PolicyOf(spec.Container);
        var due = memory.FailedAt + memory.Delay;
        if (memory.Delay > TimeSpan.Zero && due > pass.Now)
        {
            WaitForRetry(pass, spec, memory, due);
            return;
        }

        if (policy != "Always" && (!memory.Inspected || policy == "Never"))
        {
            pass.Want(new InspectImage(spec.Name, memory.Attempt, memory.Image));
            return;
        }

        if (pass.Want(new PullImage(spec.Name, memory.Attempt, memory.Image)))
        {
            pass.Normal("Pulling", $"Pulling image \"{memory.Image}\"", spec);
        }
    }

    private static void WaitForRetry(DecisionPass pass, ContainerSpec spec, ImageMemory memory, DateTimeOffset due)
    {
        pass.Wake(due);
        var shownUntil = memory.FailedAt + ShownAsError;
        if (memory.Reason != "ErrImagePull")
        {
            return;
        }

        if (shownUntil > pass.Now)
        {
            pass.Wake(shownUntil);
            return;
        }

        if (pass.TellOnce("image/" + spec.Name, memory.FailedAt.UtcTicks.ToString(CultureInfo.InvariantCulture)))
        {
            pass.Normal("BackOff", $"Back-off pulling image \"{memory.Image}\"", spec);
            pass.Warn("Failed", "Error: ImagePullBackOff", spec);
        }
    }

    private static void Inspected(DecisionPass pass, ContainerSpec spec, ImageMemory memory, EffectOutcome outcome)
    {
        if (outcome.Image is { NeedsPull: false } found)
        {
            pass.Normal("Pulled", $"Container image \"{memory.Image}\" already present on machine and can be accessed by the pod", spec);
            Remember(pass, spec, memory with { Inspected = true, Ref = found.Id, Reason = "", Message = "", Delay = TimeSpan.Zero });
            return;
        }

        if (PolicyOf(spec.Container) != "Never")
        {
            Remember(pass, spec, memory with { Inspected = true });
            return;
        }

        var message = $"Container image \"{memory.Image}\" is not present with pull policy of Never";
        if (memory.Reason.Length == 0)
        {
            pass.Warn("ErrImageNeverPull", message, spec);
            pass.Warn("Failed", "Error: ErrImageNeverPull", spec);
        }

        Remember(pass, spec, memory with
        {
            Reason = "ErrImageNeverPull",
            Message = message,
            FailedAt = outcome.At,
            Delay = NextDelay(pass.View.Settings, memory.Delay),
        });
    }

    private static void Failed(DecisionPass pass, ContainerSpec spec, ImageMemory memory, EffectOutcome outcome, EffectFailure failure)
    {
        var what = outcome.Effect is PullImage ? "pull" : "inspect";
        pass.Warn("Failed", $"Failed to {what} image \"{memory.Image}\": {failure.Message}", spec);
        pass.Warn("Failed", $"Error: {failure.Reason}", spec);
        Remember(pass, spec, memory with
        {
            Inspected = false,
            Reason = failure.Reason,
            Message = failure.Message,
            FailedAt = outcome.At,
            Delay = NextDelay(pass.View.Settings, memory.Delay),
        });
    }

    private static TimeSpan NextDelay(PodSettings settings, TimeSpan last)
    {
        var next = last == TimeSpan.Zero ? settings.ImageBackOffBase : last * 2;
        return next < settings.ImageBackOffMax ? next : settings.ImageBackOffMax;
    }

    private static string PulledMessage(string image, EffectOutcome outcome) =>
        $"Successfully pulled image \"{image}\" in {Rounded(outcome.Took)} ({Rounded(outcome.TookWithWaiting)} including waiting). Image size: {outcome.Image!.SizeBytes} bytes.";

    private static string Rounded(TimeSpan span) => GoDuration.Format(TimeSpan.FromMilliseconds(Math.Round(span.TotalMilliseconds)));

    private static void Remember(DecisionPass pass, ContainerSpec spec, ImageMemory memory) =>
        pass.Memory = pass.Memory with { Images = pass.Memory.Images.SetItem(spec.Name, memory) };
}
