using System.Diagnostics;
using System.Globalization;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Podhost.Linux.Cgroups;
using Podhost.Linux.Files;
using Podhost.Linux.Mounts;
using Podhost.Linux.Paths;
using Podhost.Runtime.Processes;
using Podhost.Runtime.Snapshots;
using Podhost.Runtime.Spec;

namespace Podhost.Runtime.Sandboxes;

/// <summary>
/// Which OCI runtimes can give pods users of their own here, found by trying: a container in a user namespace, and with it mapped owners on the
/// file system of the layers, below overlayfs, and on tmpfs (secrets). The outcome is kept as long as program, kernel and cgroup layout stay.
/// </summary>
internal sealed partial class UserNamespaceTrial(RuntimePaths paths, CgroupTree cgroups, MappedMounts mounts, IMounter mounter, HostFacts host, ILogger logger)
{
    private const uint TrialHostId = 65536;
    private const uint TrialLength = 65536;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly VerdictFile _verdicts = new(paths.UserVerdict);
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Dictionary<string, string?> _known = new(StringComparer.Ordinal);

    /// <summary>Why an OCI runtime cannot do it here; null when it can. Tried at the first call.</summary>
    internal async Task<string?> ProblemAsync(OciRuntime runtime, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (!_known.TryGetValue(runtime.Program, out var problem))
            {
                var started = Stopwatch.GetTimestamp();
                problem = await _verdicts.GetAsync(runtime.Program, $"{cgroups.Layout.Fingerprint} {Environment.OSVersion.Version}", () => TryAsync(runtime));
                _known[runtime.Program] = problem;
                LogOutcome(Path.GetFileName(runtime.Program), problem ?? "yes", Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }

            return problem;
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<string?> TryAsync(OciRuntime runtime)
    {
        using var deadline = new CancellationTokenSource(Patience);
        var id = "podhost-users-" + Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        try
        {
            var pid = await CreateAsync(runtime, id, deadline.Token);
            TryMounts($"/proc/{pid}/ns/user");
            return null;
        }
        catch (RpcException failure)
        {
            return failure.Status.Detail;
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException)
        {
            return failure.Message;
        }
        finally
        {
            await CleanAsync(runtime, id);
        }
    }

    private async Task<int> CreateAsync(OciRuntime runtime, string id, CancellationToken cancellationToken)
    {
        var bundle = paths.Bundle(id);
        Directory.CreateDirectory(bundle);
        cgroups.Create("/" + id);
        var range = new IdRange(TrialHostId, TrialLength);
        var spec = InfraSpec.Build(new InfraSpecInput
        {
            RootfsPath = mounts.ShowRoot(id, paths.InfraRoot),
            Arguments = [InfraSpec.Program, "-P"],
            CgroupPath = "/" + id,
            Namespaces = new SpecNamespaces(string.Empty, string.Empty, string.Empty, string.Empty, string.Empty),
            Users = new UserMapping(range, range),
            MinOomScoreAdjust = host.MinOomScoreAdjust,
        });
        await File.WriteAllTextAsync(Path.Combine(bundle, "config.json"), spec.ToJsonString(), cancellationToken);
        var pidFile = Path.Combine(bundle, Conmon.PidFile);
        await runtime.CreateDetachedAsync(id, bundle, pidFile, isMapped: true, cancellationToken);
        return Conmon.ReadPid(pidFile);
    }

    private void TryMounts(string userNamespace)
    {
        string At(string name) => Path.Combine(paths.UserTrial, name);
        UnmountAll(); // A trial that a crash ended.
        foreach (var name in new[] { "lower", "mapped", "upper", "work", "merged", "memory", "mappedmemory" })
        {
            Directory.CreateDirectory(At(name));
        }

        IdMappedMount.Bind(At("lower"), At("mapped"), userNamespace, recursive: false);
        OverlayMount.Mount(At("merged"), [At("mapped")], At("upper"), At("work"), "index=off");
        mounter.Mount("trial", At("memory"), "tmpfs", MountFlags.NoSuid | MountFlags.NoDev, null);
        IdMappedMount.Bind(At("memory"), At("mappedmemory"), userNamespace, recursive: false);
        if (PathStatus.Read(At("mapped")) is not { Uid: TrialHostId } || PathStatus.Read(At("mappedmemory")) is not { Uid: TrialHostId })
        {
            throw new IOException("owners of files are not mapped");
        }
    }

    private async Task CleanAsync(OciRuntime runtime, string id)
    {
        try
        {
            await runtime.DeleteAsync(id, CancellationToken.None);
            cgroups.TryRemove("/" + id);
            mounts.Remove(id);
            Directory.Delete(paths.Bundle(id), recursive: true);
            UnmountAll();
            FileTree.Delete(paths.UserTrial, CancellationToken.None);
        }
        catch (Exception failure) when (failure is IOException or RpcException)
        {
            LogLeftover(failure, id);
        }
    }

    private void UnmountAll()
    {
        foreach (var path in new[] { "merged", "mapped", "mappedmemory", "memory" }.Select(name => Path.Combine(paths.UserTrial, name)))
        {
            while (PathStatus.Read(path) is { IsMountRoot: true })
            {
                mounter.Unmount(path);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "User namespaces of pods with {Runtime}: {Outcome} (after {Milliseconds} ms)")]
    private partial void LogOutcome(string runtime, string outcome, double milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The trial {Id} was not cleaned up")]
    private partial void LogLeftover(Exception failure, string id);
}
