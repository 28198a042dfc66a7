using Podhost.Api.Errors;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.Authz;

namespace Podhost.ApiServer.Routes;

/// <summary>Impersonate-User and its companions: acting as somebody else, where the authorizer lets one.</summary>
/// <remarks>https://kubernetes.io/docs/reference/access-authn-authz/authentication/#user-impersonation</remarks>
internal static class Impersonation
{
    private const string ServiceAccountPrefix = "system:serviceaccount:";
    private const string ExtraPrefix = "Impersonate-Extra-";

    /// <summary>The user that the request is to be served as.</summary>
    /// <exception cref="ApiException">400 or 403.</exception>
    public static async ValueTask<UserInfo> ApplyAsync(RequestContext context, IAuthorizer authorizer)
    {
        var headers = context.Http.Request.Headers;
        var name = headers["Impersonate-User"].ToString();
        var groups = headers["Impersonate-Group"].Where(g => !string.IsNullOrEmpty(g)).Select(g => g!).ToList();
        var uid = headers["Impersonate-Uid"].ToString();
        var extra = headers.Where(h => h.Key.StartsWith(ExtraPrefix, StringComparison.OrdinalIgnoreCase)).ToList();
        if (name.Length == 0)
        {
            return groups.Count == 0 && uid.Length == 0 && extra.Count == 0
                ? context.User
                : throw ApiException.BadRequest("requested impersonation of groups, a UID or extra values without impersonating a user");
        }

        await RequireAsync(UserAttributes(context.User, name), context, authorizer);
        foreach (var group in groups)
        {
            await RequireAsync(Impersonate(context.User, "", "groups", group), context, authorizer);
        }

        if (uid.Length > 0)
        {
            await RequireAsync(Impersonate(context.User, "authentication.k8s.io", "uids", uid), context, authorizer);
        }

        foreach (var (header, values) in extra)
        {
            var key = Uri.UnescapeDataString(header[ExtraPrefix.Length..].ToLowerInvariant());
            foreach (var value in values)
            {
                await RequireAsync(
                    Impersonate(context.User, "authentication.k8s.io", "userextras", value ?? "") with { Subresource = key }, context, authorizer);
            }
        }

        return new UserInfo(name, GroupsOf(name, groups))
        {
            Uid = uid,
            Extra = extra.ToDictionary(
                h => Uri.UnescapeDataString(h.Key[ExtraPrefix.Length..].ToLowerInvariant()),
                h => (IReadOnlyList<string>)[.. h.Value.Select(v => v ?? "")]),
        };
    }

    private static List<string> GroupsOf(string name, List<string> groups)
    {
        if (groups.Count == 0 && ServiceAccount(name) is var (ns, _))
        {
            groups = ["system:serviceaccounts", $"system:serviceaccounts:{ns}"];
        }

        var last = name == UserInfo.AnonymousName ? UserInfo.Unauthenticated : UserInfo.Authenticated;
        return groups.Contains(last, StringComparer.Ordinal) ? groups : [.. groups, last];
    }

    private static AuthorizationAttributes UserAttributes(UserInfo user, string name) => ServiceAccount(name) is var (ns, account)
        ? Impersonate(user, "", "serviceaccounts", account) with { Namespace = ns }
        : Impersonate(user, "", "users", name);

    private static AuthorizationAttributes Impersonate(UserInfo user, string group, string resource, string name) => new(user, "impersonate")
    {
        IsResourceRequest = true,
        Group = group,
        Version = "v1",
        Resource = resource,
        Name = name,
    };

    private static async ValueTask RequireAsync(AuthorizationAttributes attributes, RequestContext context, IAuthorizer authorizer)
    {
        var decision = await authorizer.AuthorizeAsync(attributes, context.Aborted);
        if (!decision.IsAllowed)
        {
            throw RequestPipeline.Forbidden(attributes, decision.Reason);
        }
    }

    private static (string Namespace, string Name)? ServiceAccount(string user)
    {
        if (!user.StartsWith(ServiceAccountPrefix, StringComparison.Ordinal))
        {
            return null;
        }

        var parts = user[ServiceAccountPrefix.Length..].Split(':');
        return parts.Length == 2 ? (parts[0], parts[1]) : null;
    }
}
