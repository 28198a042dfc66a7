using k8s;
using k8s.Models;
using Podhost.Api.Selectors;
using Podhost.Control.Objects;

namespace Podhost.Control.Controllers.Workloads;

/// <summary>What the shared parts need to know of a kind that owns pods.</summary>
/// <param name="ApiVersion">For example <c>apps/v1</c>.</param>
/// <param name="Kind">For example <c>ReplicaSet</c>.</param>
/// <param name="SelectorOf">Which pods an owner looks for.</param>
internal sealed record OwnerKind<TOwner>(string ApiVersion, string Kind, Func<TOwner, LabelSelector> SelectorOf) where TOwner : class, IKubernetesObject<V1ObjectMeta>
{
    /// <summary>False for a pod that an owner may not have although its selector finds it.</summary>
    public Func<TOwner, V1Pod, bool> MayOwn { get; init; } = (_, _) => true;

    /// <summary>What a pod carries as long as an owner has it: put on with its adoption, taken off with its release; null for nothing.</summary>
    public string? Finalizer { get; init; }

    /// <summary>True where orphans that have ended are adopted too: their ends count.</summary>
    public bool AdoptsFinished { get; init; }

    /// <summary>The reference that makes an owner the controller of others.</summary>
    public V1OwnerReference Reference(TOwner owner) => Ownership.Reference(owner, ApiVersion, Kind);
}
