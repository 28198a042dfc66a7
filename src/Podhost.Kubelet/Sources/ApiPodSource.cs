using k8s.Models;
using Podhost.Client;
using Podhost.Client.Informers;

namespace Podhost.Kubelet.Sources;

/// <summary>Pods that the API server has bound to this node; mirror pods go to their keeper instead.</summary>
internal sealed class ApiPodSource(IInformer<V1Pod> informer, IPodTarget pods, IMirrorEvents mirrors) : IDisposable
{
    private IDisposable? subscription;

    /// <summary>Completes when the pods of the node are known.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await informer.Synced.WaitAsync(cancellationToken).ConfigureAwait(false);

        // Pods that run already come first, so that a restart never rejects one of them for another that waits.
        foreach (var pod in informer.List().OrderBy(p => p.Status?.StartTime is null).ThenBy(p => p.Metadata.CreationTimestamp))
        {
            Changed(pod);
        }

        subscription = informer.Subscribe(Handle);
    }

    public void Dispose() => subscription?.Dispose();

    private void Handle(InformerEvent<V1Pod> change)
    {
        if (change.Type != WatchEventKind.Deleted)
        {
            if (change.Previous is { } before && before.Metadata.Uid != change.Object.Metadata.Uid)
            {
                Deleted(before);
            }

            Changed(change.Object);
        }
        else
        {
            Deleted(change.Object);
        }
    }

    private void Changed(V1Pod pod)
    {
        if (PodAnnotations.Get(pod, PodAnnotations.Mirror) is not null)
        {
            mirrors.Seen(pod);
        }
        else
        {
            pods.Set(pod);
        }
    }

    private void Deleted(V1Pod pod)
    {
        if (PodAnnotations.Get(pod, PodAnnotations.Mirror) is not null)
        {
            mirrors.Deleted(pod);
        }
        else
        {
            pods.Gone(pod.Metadata.Uid, pod);
        }
    }
}

/// <summary>Who keeps mirror pods.</summary>
internal interface IMirrorEvents
{
    void Seen(V1Pod mirror);

    void Deleted(V1Pod mirror);
}
