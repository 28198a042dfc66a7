using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Pods.Loop;
using Podhost.Kubelet.Sources;

namespace Podhost.Kubelet.Hosting;

/// <summary>The directory and the page of static pods, as the options name them.</summary>
internal sealed class StaticPodSources
{
    private readonly FilePodSource? file;
    private readonly UrlPodSource? url;

    public StaticPodSources(KubeletOptions options, KubeletDependencies parts, IPodTarget target, ILogger logger)
    {
        if (options.StaticPodPath.Length > 0)
        {
            var objects = parts.Objects as ManifestObjects;
            var reader = new StaticPodReader(options.NodeName, objects is not null);
            file = new FilePodSource(options.StaticPodPath, reader, target, objects, options.FileCheckFrequency, parts.Time, logger);
        }

        if (options.StaticPodUrl is { } page)
        {
            var reader = new StaticPodReader(options.NodeName, source: "http");
            url = new UrlPodSource(page, options.StaticPodUrlHeaders, reader, target, options.HttpCheckFrequency, parts.Time, logger);
        }
    }

    /// <summary>Completes when the directory was read once.</summary>
    public Task FilesKnown => file?.Synced ?? Task.CompletedTask;

    /// <summary>Completes when the page was read once.</summary>
    public Task PageKnown => url?.Synced ?? Task.CompletedTask;

    /// <summary>Follows both until cancelled.</summary>
    public IEnumerable<Task> Start(CancellationToken cancellationToken)
    {
        if (file is not null)
        {
            yield return file.RunAsync(cancellationToken);
        }

        if (url is not null)
        {
            yield return FollowAsync(url, cancellationToken);
        }
    }

    private static async Task FollowAsync(UrlPodSource url, CancellationToken cancellationToken)
    {
        using (url)
        {
            await url.RunAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}

/// <summary>Takes static pods: they run, and their mirrors show them until they have ended.</summary>
internal sealed class StaticTarget(PodManager manager, MirrorPods? mirrors) : IPodTarget
{
    /// <inheritdoc/>
    public void Set(V1Pod pod)
    {
        mirrors?.Add(pod);
        manager.Set(pod, PodOrigin.Static);
    }

    /// <inheritdoc/>
    public void Gone(string uid, V1Pod? last) => manager.Gone(uid, last);
}
