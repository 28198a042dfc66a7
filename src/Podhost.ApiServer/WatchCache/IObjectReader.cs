using Podhost.Api.Resources;

namespace Podhost.ApiServer.WatchCache;

/// <summary>Reads the server's own caches: current to within the time that the store needs to tell of a write. Never blocks.</summary>
public interface IObjectReader
{
    /// <summary>The resources that are served.</summary>
    ResourceSet Resources { get; }

    /// <summary>One object, or null; <paramref name="ns"/> null or empty for cluster-scoped kinds.</summary>
    CachedObject? Get(ResourceInfo resource, string? ns, string name);

    /// <summary>The objects of a kind in a namespace, or in all where <paramref name="ns"/> is null or empty, in key order; a snapshot.</summary>
    IEnumerable<CachedObject> List(ResourceInfo resource, string? ns = null);

    /// <summary>The revision of the last change of any object of the kind: unchanged means that the same objects are there.</summary>
    long Version(ResourceInfo resource);

    /// <summary>Completes when the caches hold everything that the store held at the start.</summary>
    Task Filled { get; }

    /// <summary>Completes when the caches hold everything that was written before the call.</summary>
    ValueTask CatchUpAsync(CancellationToken cancellationToken);
}
