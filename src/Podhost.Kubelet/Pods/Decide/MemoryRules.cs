namespace Podhost.Kubelet.Pods.Decide;

/// <summary>Folds what happened since the last decision into the memory, and forgets what is of no use any more.</summary>
internal static class MemoryRules
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstVolumeRetry = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LastVolumeRetry = TimeSpan.FromSeconds(122);

    public static void Fold(DecisionPass pass)
    {
        if (pass.Memory.StartTime is null)
        {
            var known = pass.Pod.Status?.StartTime;
            pass.Memory = pass.Memory with
            {
                StartTime = known is { } t ? new DateTimeOffset(DateTime.SpecifyKind(t, DateTimeKind.Utc)) : pass.Now,
                Status = pass.Memory.Status ?? pass.Pod.Status,
            };
        }

        foreach (var outcome in pass.View.Outcomes)
        {
            if (outcome.Failure?.Kind != FailureKind.Cancelled)
            {
                Fold(pass, outcome);
            }
        }

        if (pass.View.ReferencesChanged)
        {
            EndWaitsForReferences(pass);
        }

        Forget(pass);
    }

    private static void Fold(DecisionPass pass, EffectOutcome outcome)
    {
        switch (outcome.Effect)
        {
            case InspectImage or PullImage:
                ImageRules.Fold(pass, outcome);
                return;
            case StartContainer start:
                FoldStart(pass, start, outcome);
                return;
            case RunPostStart hook:
                FoldPostStart(pass, hook, outcome);
                return;
            case EnsureCgroup { Widen: false } cgroup when outcome.Succeeded && cgroup.Generation == pass.AllocatedGeneration:
                pass.Memory = pass.Memory with { CgroupWhole = pass.Pod.Spec?.Resources };
                break;
            case ResizeContainer resize when outcome.Succeeded && resize.Generation == pass.AllocatedGeneration:
                pass.Instance(resize.ContainerId, i => i with { Applied = ResizeRules.Wanted(pass, pass.Spec(resize.Container)) });
                break;
            case RunPreStop hook:
                FoldPreStop(pass, hook, outcome);
                return;
        }

        if (outcome.Failure is { } failure)
        {
            FoldFailure(pass, outcome, failure);
            return;
        }

        pass.Memory = Succeeded(pass.Memory, outcome.Effect) with { Retries = pass.Memory.Retries.Remove(outcome.Effect.Key) };
    }

    private static PodMemory Succeeded(PodMemory memory, PodEffect effect) => effect switch
    {
        EnsureCgroup { Widen: true } e => memory with { CgroupWidened = e.Generation },
        EnsureCgroup e => memory with { CgroupReady = true, CgroupGeneration = e.Generation },
        RemoveCgroup => memory with { CgroupReady = false, CgroupRemoved = true },
        MountVolumes e => memory with { VolumesMounted = true, VolumesShow = e.Shown },
        UnmountVolumes => memory with { VolumesMounted = false, VolumesRemoved = true },
        RemoveLogs => memory with { LogsRemoved = true },
        StopSandbox s => memory with { StoppedSandboxes = memory.StoppedSandboxes.Add(s.SandboxId) },
        _ => memory,
    };

    private static void FoldFailure(DecisionPass pass, EffectOutcome outcome, EffectFailure failure)
    {
        var key = outcome.Effect.Key;
        var failures = (pass.Memory.Retries.GetValueOrDefault(key)?.Failures ?? 0) + 1;
        var delay = outcome.Effect is MountVolumes
            ? RestartRules.RetryDelay(failures, FirstVolumeRetry, LastVolumeRetry)
            : RestartRules.RetryDelay(failures, FirstRetry, LastRetry);
        pass.Memory = pass.Memory with { Retries = pass.Memory.Retries.SetItem(key, new Retry(failures, outcome.At + delay, failure)) };

        switch (outcome.Effect)
        {
            case CreateSandbox:
                pass.Warn("FailedCreatePodSandBox", "Failed to create pod sandbox: " + failure.Message);
                break;
            case MountVolumes:
                pass.Warn("FailedMount", failure.Message);
                break;
            case EnsureCgroup:
                pass.Warn("FailedCreatePodContainer", "unable to ensure pod container exists: " + failure.Message);
                break;
            case ResizeContainer:
                pass.Warn("ResizeError", ResizeMessages.Of("Pod resize error", pass.Pod, pass.AllocatedGeneration, failure.Message));
                break;
            case StopContainer stop:
                pass.Warn("FailedKillPod", $"error killing pod: failed to \"KillContainer\" for \"{stop.Container}\": {failure.Message}");
                break;
            case StopSandbox:
                pass.Warn("FailedKillPod", $"error killing pod: failed to \"KillPodSandbox\": {failure.Message}");
                break;
        }
    }

    private static void FoldStart(DecisionPass pass, StartContainer start, EffectOutcome outcome)
    {
        var spec = pass.Spec(start.Container);
        if (outcome.Created)
        {
            pass.Normal("Created", "Container created", spec);
            if (start.Attempt > 0)
            {
                RestartRules.CountRestart(pass, start.Container, outcome.At);
            }
        }

        // The grant of the image is for one instance only: the next one asks anew, as its pull policy says. Where the runtime could not create
        // one, the image may have been removed meanwhile.
        if (outcome.Created)
        {
            pass.Memory = pass.Memory with { Images = pass.Memory.Images.Remove(start.Container) };
        }
        else if (outcome.Failure is { Kind: FailureKind.Transient })
        {
            pass.Memory = pass.Memory with { Images = pass.Memory.Images.RemoveRange([start.Container, .. start.Volumes.All.Select(v => "volume/" + v.Volume)]) };
        }

        if (outcome.Failure is { } failure)
        {
            var failures = (pass.Memory.StartFailures.GetValueOrDefault(start.Container)?.Failures ?? 0) + 1;
            var next = outcome.At + RestartRules.RetryDelay(failures, FirstRetry, LastRetry);
            var record = new StartFailure(failure.Reason, failure.Message, failures, next, failure.Kind == FailureKind.Config);
            pass.Memory = pass.Memory with { StartFailures = pass.Memory.StartFailures.SetItem(start.Container, record) };
            pass.Warn("Failed", "Error: " + failure.Message, spec);
            return;
        }

        pass.Normal("Started", "Container started", spec);
        pass.Memory = pass.Memory with { StartFailures = pass.Memory.StartFailures.Remove(start.Container) };
        pass.Instance(outcome.ContainerId, i => i with { StartedHere = true });
    }

    private static void FoldPostStart(DecisionPass pass, RunPostStart hook, EffectOutcome outcome)
    {
        pass.Instance(hook.ContainerId, i => i with { PostStart = outcome.Succeeded ? HookState.Succeeded : HookState.Failed });
        if (outcome.Failure is { } failure)
        {
            pass.Warn("FailedPostStartHook", failure.Message, pass.Spec(hook.Container));
        }
    }

    private static void FoldPreStop(DecisionPass pass, RunPreStop hook, EffectOutcome outcome)
    {
        pass.Instance(hook.ContainerId, i => i with
        {
            PreStop = outcome.Succeeded ? HookState.Succeeded : HookState.Failed,
            PreStopEndedAt = outcome.At,
        });
        if (outcome.Failure is { } failure)
        {
            pass.Warn("FailedPreStopHook", failure.Message, pass.Spec(hook.Container));
        }
    }

    private static void EndWaitsForReferences(DecisionPass pass)
    {
        var memory = pass.Memory;
        var failures = memory.StartFailures;
        foreach (var (name, failure) in failures)
        {
            if (failure.Config)
            {
                failures = failures.SetItem(name, failure with { NotBefore = pass.Now });
            }
        }

        var retries = memory.Retries;
        if (retries.TryGetValue("volumes", out var volumes))
        {
            retries = retries.SetItem("volumes", volumes with { NotBefore = pass.Now });
        }

        pass.Memory = memory with { StartFailures = failures, Retries = retries };
    }

    /// <summary>Instances and sandboxes that the runtime does not have any more leave the memory, so that it stays small.</summary>
    private static void Forget(DecisionPass pass)
    {
        if (pass.View.Runtime is not { } runtime)
        {
            return;
        }

        var instances = pass.Memory.Instances;
        foreach (var id in instances.Keys)
        {
            if (!runtime.Containers.Any(c => c.Id == id))
            {
                instances = instances.Remove(id);
            }
        }

        var stopped = pass.Memory.StoppedSandboxes;
        foreach (var id in stopped)
        {
            if (!runtime.Sandboxes.Any(s => s.Id == id))
            {
                stopped = stopped.Remove(id);
            }
        }

        pass.Memory = pass.Memory with { Instances = instances, StoppedSandboxes = stopped };
    }
}
