using System.Collections.Frozen;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Authz;

/// <summary>
/// What kubelets (user <c>system:node:NAME</c>, group <c>system:nodes</c>) may do: the rules of the role system:node, and of secrets, configmaps,
/// claims and service-account tokens only those that a pod bound to the node refers to. Source: upstream's node authorizer.
/// </summary>
public sealed class NodeAuthorizer(IObjectReader objects, BootstrapPolicy policy) : IAuthorizer
{
    private const string UserPrefix = "system:node:";
    private const string NodesGroup = "system:nodes";
    private static readonly ResourceInfo Pods = ResourceTable.For<V1Pod>();

    private readonly Lock _gate = new();
    private readonly IList<V1PolicyRule> _rules = policy.ClusterRoles.Single(r => r.Metadata.Name == "system:node").Rules;
    private volatile Graph? _graph;

    /// <inheritdoc />
    public ValueTask<AuthorizationDecision> AuthorizeAsync(AuthorizationAttributes attributes, CancellationToken cancellationToken) =>
        ValueTask.FromResult(NodeNameOf(attributes.User) is { } node ? Decide(attributes, node) : AuthorizationDecision.NoOpinion());

    /// <summary>The node that a user is, or null.</summary>
    internal static string? NodeNameOf(Authn.UserInfo user) =>
        user.IsIn(NodesGroup) && user.Name.StartsWith(UserPrefix, StringComparison.Ordinal) ? user.Name[UserPrefix.Length..] : null;

    private AuthorizationDecision Decide(AuthorizationAttributes a, string node)
    {
        if (a.IsResourceRequest && a.Group.Length == 0 && IsReferenced(a.Resource, a.Subresource))
        {
            return a.Name.Length > 0 && Current().Refers(node, a.Resource, a.Namespace, a.Name)
                ? Rules(a)
                : AuthorizationDecision.NoOpinion($"no relationship found between node '{node}' and this object");
        }

        return Rules(a);
    }

    private AuthorizationDecision Rules(AuthorizationAttributes a)
    {
        var query = new AccessQuery(a.Verb, a.IsResourceRequest, a.Group, a.Resource, a.Subresource, a.Namespace, a.Name, a.Path);
        return _rules.Any(r => RbacRule.Allows(r, query)) ? AuthorizationDecision.Allow() : AuthorizationDecision.NoOpinion();
    }

    private static bool IsReferenced(string resource, string subresource) =>
        (resource, subresource) is ("secrets" or "configmaps" or "persistentvolumeclaims", _) or ("serviceaccounts", _);

    private Graph Current()
    {
        var version = objects.Version(Pods);
        if (_graph is { } graph && graph.Version == version)
        {
            return graph;
        }

        lock (_gate)
        {
            version = objects.Version(Pods);
            return _graph is { } again && again.Version == version ? again : _graph = Build(version);
        }
    }

    private Graph Build(long version)
    {
        var references = new HashSet<(string Node, string Kind, string Namespace, string Name)>();
        foreach (var cached in objects.List(Pods))
        {
            if (cached.Selectable.Get("spec.nodeName") is not { Length: > 0 } node)
            {
                continue;
            }

            foreach (var (kind, name) in PodReferences.Of(ObjectCodec.ToModel<V1Pod>(cached.Utf8.Span)))
            {
                references.Add((node, kind, cached.Namespace, name));
            }
        }

        return new Graph(version, references.ToFrozenSet());
    }

    private sealed record Graph(long Version, FrozenSet<(string, string, string, string)> References)
    {
        public bool Refers(string node, string kind, string ns, string name) => References.Contains((node, kind, ns, name));
    }
}
