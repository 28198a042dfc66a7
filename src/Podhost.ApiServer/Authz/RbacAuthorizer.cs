using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Authz;

/// <summary>Role-based access control over the server's roles and bindings. The index is rebuilt when one of them changed, and only then.</summary>
public sealed class RbacAuthorizer(IObjectReader objects) : IAuthorizer
{
    private static readonly ResourceInfo ClusterRoles = ResourceTable.For<V1ClusterRole>();
    private static readonly ResourceInfo ClusterRoleBindings = ResourceTable.For<V1ClusterRoleBinding>();
    private static readonly ResourceInfo Roles = ResourceTable.For<V1Role>();
    private static readonly ResourceInfo RoleBindings = ResourceTable.For<V1RoleBinding>();

    private readonly Lock _gate = new();
    private volatile Indexed? _indexed;

    /// <inheritdoc />
    public ValueTask<AuthorizationDecision> AuthorizeAsync(AuthorizationAttributes attributes, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Current().Allows(attributes.User.Name, attributes.User.Groups, QueryOf(attributes)) is { } because
            ? AuthorizationDecision.Allow(because)
            : AuthorizationDecision.NoOpinion());

    /// <summary>Every rule that a user has in a namespace.</summary>
    internal IEnumerable<V1PolicyRule> RulesFor(string user, IReadOnlyList<string> groups, string ns) => Current().RulesFor(user, groups, ns);

    /// <summary>The rules of a role, aggregated ones with all that they collect; null where there is none.</summary>
    /// <param name="kind">Role or ClusterRole.</param>
    /// <param name="ns">The namespace of a Role.</param>
    /// <param name="name">Its name.</param>
    internal IReadOnlyList<V1PolicyRule>? RulesOf(string kind, string ns, string name) => Current().RulesOf(kind, ns, name);

    private static AccessQuery QueryOf(AuthorizationAttributes a) =>
        new(a.Verb, a.IsResourceRequest, a.Group, a.Resource, a.Subresource, a.Namespace, a.Name, a.Path);

    private RbacPolicy Current()
    {
        var version = VersionNow();
        if (_indexed is { } indexed && indexed.Version == version)
        {
            return indexed.Policy;
        }

        lock (_gate)
        {
            version = VersionNow();
            if (_indexed is { } again && again.Version == version)
            {
                return again.Policy;
            }

            var policy = new RbacPolicy(
                Read<V1ClusterRole>(ClusterRoles), Read<V1ClusterRoleBinding>(ClusterRoleBindings), Read<V1Role>(Roles), Read<V1RoleBinding>(RoleBindings));
            _indexed = new Indexed(version, policy);
            return policy;
        }
    }

    // Read before the objects: a change that slips in between raises the version and the next request builds anew.
    private (long, long, long, long) VersionNow() =>
        (objects.Version(ClusterRoles), objects.Version(ClusterRoleBindings), objects.Version(Roles), objects.Version(RoleBindings));

    private List<T> Read<T>(ResourceInfo resource) => [.. objects.List(resource).Select(o => ObjectCodec.ToModel<T>(o.Utf8.Span))];

    private sealed record Indexed((long, long, long, long) Version, RbacPolicy Policy);
}
