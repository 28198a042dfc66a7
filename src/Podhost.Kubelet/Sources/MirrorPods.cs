using System.Collections.Concurrent;
using System.Threading.Channels;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Kubelet.Pods.Loop;
using Podhost.Kubelet.Status;

namespace Podhost.Kubelet.Sources;

/// <summary>
/// Keeps a mirror pod in the API for each static pod: made where it is missing, made anew where it is deleted or shows another manifest,
/// deleted where its static pod has ended. Of several static pods of one name the first one that has not ended is shown. Nothing that the API
/// says about a mirror reaches the static pod.
/// </summary>
internal sealed partial class MirrorPods(IApiClient client, Func<CancellationToken, Task<V1Node>> node, TimeProvider time, ILogger logger)
    : IMirrorEvents, IMirrorTargets, IMirrorNames
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);
    private readonly Lock gate = new();
    private readonly Dictionary<string, List<V1Pod>> statics = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, V1Pod> mirrors = new(StringComparer.Ordinal);
    private readonly Channel<string> dirty = Channel.CreateBounded<string>(new BoundedChannelOptions(4096) { FullMode = BoundedChannelFullMode.Wait });

    /// <summary>Raised with the UID of a static pod whose mirror appeared.</summary>
    public event Action<string>? Appeared;

    /// <summary>A static pod runs here, or will when the one of its name before it has ended.</summary>
    public void Add(V1Pod pod)
    {
        lock (gate)
        {
            if (!statics.TryGetValue(Key(pod), out var pods))
            {
                statics[Key(pod)] = pods = [];
            }

            if (!pods.Exists(p => p.Metadata.Uid == pod.Metadata.Uid))
            {
                pods.Add(pod);
            }
        }

        dirty.Writer.TryWrite(Key(pod));
    }

    /// <summary>A pod has ended to the last process and its source does not have it any more; one that is not static says nothing here.</summary>
    public void Ended(string uid)
    {
        string? key;
        lock (gate)
        {
            key = statics.FirstOrDefault(s => s.Value.Any(p => p.Metadata.Uid == uid)).Key;
            if (key is null)
            {
                return;
            }

            statics[key].RemoveAll(p => p.Metadata.Uid == uid);
            if (statics[key].Count == 0)
            {
                statics.Remove(key);
            }
        }

        dirty.Writer.TryWrite(key);
    }

    /// <inheritdoc/>
    public void Seen(V1Pod mirror)
    {
        mirrors[Key(mirror)] = mirror;
        dirty.Writer.TryWrite(Key(mirror));
        if (Shown(Key(mirror)) is { } pod)
        {
            Appeared?.Invoke(pod.Metadata.Uid);
        }
    }

    /// <inheritdoc/>
    public void Deleted(V1Pod mirror)
    {
        mirrors.TryRemove(Key(mirror), out _);
        dirty.Writer.TryWrite(Key(mirror));
    }

    /// <inheritdoc/>
    public string? MirrorUidOf(string staticUid)
    {
        lock (gate)
        {
            var key = statics.FirstOrDefault(s => s.Value[0].Metadata.Uid == staticUid).Key;
            return key is not null && mirrors.TryGetValue(key, out var mirror) ? mirror.Metadata.Uid : null;
        }
    }

    /// <inheritdoc/>
    public string? StaticUidOf(string mirrorUid)
    {
        foreach (var (key, mirror) in mirrors)
        {
            if (mirror.Metadata.Uid == mirrorUid)
            {
                return Shown(key)?.Metadata.Uid;
            }
        }

        return null;
    }

    /// <summary>Reconciles, one pod at a time, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await foreach (var key in dirty.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            try
            {
                await ReconcileAsync(key, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is ApiException or HttpRequestException or IOException)
            {
                LogFailed(logger, key, e.Message);
                _ = AgainAsync(key, cancellationToken);
            }
        }
    }

    private async Task AgainAsync(string key, CancellationToken cancellationToken)
    {
        await Task.Delay(RetryAfter, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        dirty.Writer.TryWrite(key);
    }

    private async Task ReconcileAsync(string key, CancellationToken cancellationToken)
    {
        var pod = Shown(key);
        mirrors.TryGetValue(key, out var mirror);
        if (mirror is not null && (pod is null || PodAnnotations.Get(mirror, PodAnnotations.Mirror) != PodAnnotations.Get(pod, PodAnnotations.Hash) || mirror.Metadata.DeletionTimestamp is not null))
        {
            var options = new V1DeleteOptions { GracePeriodSeconds = 0, Preconditions = new V1Preconditions { Uid = mirror.Metadata.Uid } };
            try
            {
                await client.DeleteAsync<V1Pod>(mirror.Metadata.NamespaceProperty, mirror.Metadata.Name, options, cancellationToken).ConfigureAwait(false);
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                Deleted(mirror);
            }
        }
        else if (pod is not null && mirror is null)
        {
            await CreateAsync(pod, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task CreateAsync(V1Pod pod, CancellationToken cancellationToken)
    {
        var owner = await node(cancellationToken).ConfigureAwait(false);
        var annotations = new Dictionary<string, string>(pod.Metadata.Annotations, StringComparer.Ordinal)
        {
            [PodAnnotations.Mirror] = PodAnnotations.Get(pod, PodAnnotations.Hash) ?? "",
        };
        var mirror = new V1Pod
        {
            ApiVersion = "v1",
            Kind = "Pod",
            Metadata = new V1ObjectMeta
            {
                Name = pod.Metadata.Name,
                NamespaceProperty = pod.Metadata.NamespaceProperty,
                Labels = pod.Metadata.Labels,
                Annotations = annotations,
                OwnerReferences = [new V1OwnerReference { ApiVersion = "v1", Kind = "Node", Name = owner.Metadata.Name, Uid = owner.Metadata.Uid, Controller = true }],
            },
            Spec = pod.Spec,
        };
        try
        {
            Seen(await client.CreateAsync(mirror, cancellationToken).ConfigureAwait(false));
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            // The watch brings it in a moment, and then it is judged.
            LogExists(logger, Key(pod));
        }
    }

    private V1Pod? Shown(string key)
    {
        lock (gate)
        {
            return statics.TryGetValue(key, out var pods) ? pods[0] : null;
        }
    }

    private static string Key(V1Pod pod) => $"{pod.Metadata.NamespaceProperty}/{pod.Metadata.Name}";

    [LoggerMessage(1, LogLevel.Warning, "The mirror of static pod {Pod} could not be brought up to date, trying again: {Error}")]
    private static partial void LogFailed(ILogger logger, string pod, string error);

    [LoggerMessage(2, LogLevel.Debug, "A pod named {Pod} exists already")]
    private static partial void LogExists(ILogger logger, string pod);
}

/// <summary>Without an API server there are no mirrors.</summary>
internal sealed class NoMirrors : IMirrorNames
{
    public string? StaticUidOf(string mirrorUid) => null;
}
