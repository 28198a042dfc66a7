using System.Globalization;

namespace Podhost.Kubelet.Pods.Decide;

/// <summary>Which image a container starts from, or a volume shows: pull policy, back-off, and what the user sees of both.</summary>
internal static class ImageRules
{
    /// <summary>How long a fresh failure is shown as itself before it is shown as a back-off.</summary>
    private static readonly TimeSpan ShownAsError = TimeSpan.FromSeconds(5);

    /// <summary>The image for the container's next instance, or null where it is not here yet: then the effects that bring it are wanted.</summary>
    public static string? Ensure(DecisionPass pass, ContainerSpec spec, uint attempt) => Ensure(pass, ImageNeed.Of(spec), attempt);

    /// <summary>
    /// The images of the volumes that a container mounts, or null where one is not here yet. One that is here stays the volume's for as long
    /// as the pod lives (source: the API reference of image volumes), unless no container can be created with it.
    /// </summary>
    public static VolumeImages? EnsureVolumes(DecisionPass pass, ContainerSpec spec)
    {
        var all = new List<VolumeImage>();
        var missing = false;
        foreach (var need in ImageNeed.OfVolumes(pass.Pod, spec))
        {
            if (Ensure(pass, need, 0) is { } image)
            {
                all.Add(new VolumeImage(need.Volume, image));
            }
            else
            {
                missing = true;
                TellContainer(pass, spec, need);
            }
        }

        return missing ? null : new VolumeImages([.. all]);
    }

    /// <summary>The waiting reason and message of a container whose image, or that of a volume of which, is not here.</summary>
    public static (string Reason, string Message)? Waiting(DecisionPass pass, ContainerSpec spec) => Waiting(pass, spec.Name)
        ?? (pass.Starting.Contains(spec.Name) ? ImageNeed.OfVolumes(pass.Pod, spec).Select(need => Waiting(pass, need.User)).FirstOrDefault(why => why is not null) : null);

    /// <summary>What an inspection or a pull found.</summary>
    public static void Fold(DecisionPass pass, EffectOutcome outcome)
    {
        var (user, image) = outcome.Effect switch
        {
            InspectImage i => (i.User, i.Image),
            PullImage p => (p.User, p.Image),
            _ => throw new ArgumentException($"{outcome.Effect} is about no image"),
        };
        var memory = pass.Memory.Images.GetValueOrDefault(user);
        var need = ImageNeed.Find(pass, user);
        if (memory is null || memory.Image != image || need is null)
        {
            return;
        }

        if (outcome.Failure is { } failure)
        {
            Failed(pass, need, memory, outcome, failure);
        }
        else if (outcome.Effect is InspectImage)
        {
            Inspected(pass, need, memory, outcome);
        }
        else
        {
            pass.Normal("Pulled", PulledMessage(image, outcome), need.About);
            Remember(pass, need, memory with { Ref = outcome.Image!.Id, Reason = "", Message = "", Delay = TimeSpan.Zero });
        }
    }

    private static string? Ensure(DecisionPass pass, ImageNeed need, uint attempt)
    {
        var memory = pass.Memory.Images.GetValueOrDefault(need.User);
        if (memory is null || memory.Image != need.Image)
        {
            memory = new ImageMemory { Image = need.Image, Attempt = attempt };
            Remember(pass, need, memory);
        }

        if (memory.Ref is { } granted)
        {
            return granted;
        }

        if (ImageName.IsValid(need.Image))
        {
            Bring(pass, need, memory);
            return null;
        }

        if (memory.Reason.Length == 0)
        {
            var message = $"Failed to apply default image tag \"{need.Image}\": couldn't parse image name \"{need.Image}\": invalid reference format";
            Remember(pass, need, memory with { Reason = "InvalidImageName", Message = message, FailedAt = pass.Now });
            pass.Warn("InspectFailed", message, need.About);
            TellError(pass, need, "InvalidImageName");
        }

        return null;
    }

    private static (string Reason, string Message)? Waiting(DecisionPass pass, string user)
    {
        if (!pass.Memory.Images.TryGetValue(user, out var memory) || memory.Reason.Length == 0 || memory.Ref is not null)
        {
            return null;
        }

        if (memory.Reason == "ErrImagePull" && pass.Now >= memory.FailedAt + ShownAsError)
        {
            return ("ImagePullBackOff", $"Back-off pulling image \"{memory.Image}\": ErrImagePull: {memory.Message}");
        }

        return (memory.Reason, memory.Message);
    }

    private static void Bring(DecisionPass pass, ImageNeed need, ImageMemory memory)
    {
        var due = memory.FailedAt + memory.Delay;
        if (memory.Delay > TimeSpan.Zero && due > pass.Now)
        {
            WaitForRetry(pass, need, memory, due);
            return;
        }

        if (need.PullPolicy != "Always" && (!memory.Inspected || need.PullPolicy == "Never"))
        {
            pass.Want(new InspectImage(need.User, memory.Attempt, memory.Image));
            return;
        }

        if (pass.Want(new PullImage(need.User, memory.Attempt, memory.Image)))
        {
            pass.Normal("Pulling", $"Pulling image \"{memory.Image}\"", need.About);
        }
    }

    private static void WaitForRetry(DecisionPass pass, ImageNeed need, ImageMemory memory, DateTimeOffset due)
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

        if (pass.TellOnce("image/" + need.User, memory.FailedAt.UtcTicks.ToString(CultureInfo.InvariantCulture)))
        {
            pass.Normal("BackOff", $"Back-off pulling image \"{memory.Image}\"", need.About);
            TellError(pass, need, "ImagePullBackOff");
        }
    }

    private static void Inspected(DecisionPass pass, ImageNeed need, ImageMemory memory, EffectOutcome outcome)
    {
        if (outcome.Image is { NeedsPull: false } found)
        {
            pass.Normal("Pulled", $"Container image \"{memory.Image}\" already present on machine and can be accessed by the pod", need.About);
            Remember(pass, need, memory with { Inspected = true, Ref = found.Id, Reason = "", Message = "", Delay = TimeSpan.Zero });
            return;
        }

        if (need.PullPolicy != "Never")
        {
            Remember(pass, need, memory with { Inspected = true });
            return;
        }

        var message = $"Container image \"{memory.Image}\" is not present with pull policy of Never";
        if (memory.Reason.Length == 0)
        {
            pass.Warn("ErrImageNeverPull", message, need.About);
            TellError(pass, need, "ErrImageNeverPull");
        }

        Remember(pass, need, memory with
        {
            Reason = "ErrImageNeverPull",
            Message = message,
            FailedAt = outcome.At,
            Delay = NextDelay(pass.View.Settings, memory.Delay),
        });
    }

    private static void Failed(DecisionPass pass, ImageNeed need, ImageMemory memory, EffectOutcome outcome, EffectFailure failure)
    {
        var what = outcome.Effect is PullImage ? "pull" : "inspect";
        pass.Warn("Failed", $"Failed to {what} image \"{memory.Image}\": {failure.Message}", need.About);
        TellError(pass, need, failure.Reason);
        Remember(pass, need, memory with
        {
            Inspected = false,
            Reason = failure.Reason,
            Message = failure.Message,
            FailedAt = outcome.At,
            Delay = NextDelay(pass.View.Settings, memory.Delay),
        });
    }

    // The error of a volume's image is told of each container that cannot start for it.
    private static void TellError(DecisionPass pass, ImageNeed need, string reason)
    {
        if (need.About is not null)
        {
            pass.Warn("Failed", $"Error: {reason}", need.About);
        }
    }

    private static void TellContainer(DecisionPass pass, ContainerSpec spec, ImageNeed need)
    {
        if (Waiting(pass, need.User) is { } why
            && pass.TellOnce($"image/{spec.Name}/{need.Volume}", why.Reason + pass.Memory.Images[need.User].FailedAt.UtcTicks.ToString(CultureInfo.InvariantCulture)))
        {
            pass.Warn("Failed", $"Error: {why.Reason}", spec);
        }
    }

    private static TimeSpan NextDelay(PodSettings settings, TimeSpan last)
    {
        var next = last == TimeSpan.Zero ? settings.ImageBackOffBase : last * 2;
        return next < settings.ImageBackOffMax ? next : settings.ImageBackOffMax;
    }

    private static string PulledMessage(string image, EffectOutcome outcome) =>
        $"Successfully pulled image \"{image}\" in {Rounded(outcome.Took)} ({Rounded(outcome.TookWithWaiting)} including waiting). Image size: {outcome.Image!.SizeBytes} bytes.";

    private static string Rounded(TimeSpan span) => GoDuration.Format(TimeSpan.FromMilliseconds(Math.Round(span.TotalMilliseconds)));

    private static void Remember(DecisionPass pass, ImageNeed need, ImageMemory memory) =>
        pass.Memory = pass.Memory with { Images = pass.Memory.Images.SetItem(need.User, memory) };
}
