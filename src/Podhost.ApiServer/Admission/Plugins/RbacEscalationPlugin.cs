using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.Authz;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.Plugins;

/// <summary>
/// Nobody grants more than they have: roles may hold only rules that their writer holds (or the writer may "escalate" them), and bindings may
/// name only roles whose rules the writer holds (or may "bind"). Source: upstream's rbac/*/policybased storage.
/// </summary>
/// <param name="rbac">What users may do by roles.</param>
/// <param name="authorizer">Whether they may escalate or bind.</param>
public sealed class RbacEscalationPlugin(RbacAuthorizer rbac, IAuthorizer authorizer) : IAdmissionPlugin
{
    private const string Group = "rbac.authorization.k8s.io";

    private static readonly V1PolicyRule[] Everything =
    [
        new() { Verbs = ["*"], ApiGroups = ["*"], Resources = ["*"] },
        new() { Verbs = ["*"], NonResourceURLs = ["*"] },
    ];

    /// <inheritdoc />
    public string Name => "RbacEscalation";

    /// <inheritdoc />
    public bool Handles(AdmissionRequest request) =>
        request is { Operation: AdmissionOperation.Create or AdmissionOperation.Update, Subresource.Length: 0, Object: not null }
        && request.Resource.Group == Group && !request.User.IsIn(UserInfo.Masters);

    /// <inheritdoc />
    public async ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        // As new as the store has it: a role or binding of the writer may have been taken away a moment ago.
        await request.Objects.CatchUpAsync(cancellationToken);
        if (request.Resource.Plural is "roles" or "clusterroles")
        {
            await CheckRoleAsync(request, cancellationToken);
        }
        else
        {
            await CheckBindingAsync(request, cancellationToken);
        }
    }

    private async ValueTask CheckRoleAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        var (obj, old) = (request.Object!, request.OldObject);
        if (old is not null && Same(obj, old, "rules") && Same(obj, old, "aggregationRule"))
        {
            return;
        }

        if (await MayAsync(request, "escalate", request.Resource.Plural, request.Namespace, NameOf(request), cancellationToken))
        {
            return;
        }

        // Whoever has a role collect others grants what is not there yet.
        if (obj["aggregationRule"] is not null && Refusal(request, Everything) is { } why)
        {
            throw Refused(request, "must have cluster-admin privileges to use the aggregationRule: " + why);
        }

        var rules = (obj["rules"] as JsonArray ?? []).OfType<JsonObject>().Select(r => ObjectCodec.ToModel<V1PolicyRule>(r));
        if (Refusal(request, rules) is { } refusal)
        {
            throw Refused(request, refusal);
        }
    }

    private async ValueTask CheckBindingAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        var (obj, old) = (request.Object!, request.OldObject);
        if (old is not null && Same(obj, old, "roleRef") && Same(obj, old, "subjects"))
        {
            return;
        }

        var (kind, role) = (Meta.Text(Meta.At(obj, "roleRef", "kind")), Meta.Text(Meta.At(obj, "roleRef", "name")));
        if (await MayAsync(request, "bind", kind == "Role" ? "roles" : "clusterroles", request.Namespace, role, cancellationToken))
        {
            return;
        }

        var rules = rbac.RulesOf(kind, request.Namespace, role)
            ?? throw ApiException.NotFound(Group, kind == "Role" ? "roles" : "clusterroles", role);
        if (Refusal(request, rules) is { } refusal)
        {
            throw Refused(request, refusal);
        }
    }

    private string? Refusal(AdmissionRequest request, IEnumerable<V1PolicyRule> wanted)
    {
        var user = request.User;
        var missing = RuleCoverage.Missing([.. rbac.RulesFor(user.Name, user.Groups, request.Namespace)], wanted);
        return missing.Count == 0 ? null
            : $"user {RuleCoverage.Quote(user.Name)} (groups={RuleCoverage.Quoted(user.Groups)}) is attempting to grant RBAC permissions not currently held:\n"
                + string.Join('\n', missing.Select(RuleCoverage.Describe).Distinct().Order(StringComparer.Ordinal));
    }

    private async ValueTask<bool> MayAsync(AdmissionRequest request, string verb, string resource, string ns, string name, CancellationToken cancellationToken) =>
        (await authorizer.AuthorizeAsync(
            new AuthorizationAttributes(request.User, verb)
            {
                IsResourceRequest = true, Group = Group, Version = "v1", Resource = resource, Namespace = ns, Name = name,
            },
            cancellationToken)).IsAllowed;

    private static bool Same(JsonObject obj, JsonObject old, string field) => JsonNode.DeepEquals(obj[field], old[field]);

    private static string NameOf(AdmissionRequest request) => request.Name.Length > 0 ? request.Name : Meta.Name(request.Object!);

    private static ApiException Refused(AdmissionRequest request, string why) => ApiException.Forbidden(Group, request.Resource.Plural, NameOf(request), why);
}
