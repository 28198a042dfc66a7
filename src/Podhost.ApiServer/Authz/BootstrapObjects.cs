using System.Net;
using System.Net.Http.Headers;
using k8s;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Authz;

/// <summary>
/// Writes what every cluster starts with through the API itself: default roles and bindings, and the two system priority classes. What is there
/// already stays, except that lost rules and subjects of the default roles come back. Source: upstream's rbac/bootstrap-roles post-start hook.
/// </summary>
public static class BootstrapObjects
{
    private const string AutoUpdate = "rbac.authorization.kubernetes.io/autoupdate";

    /// <summary>Creates or repairs them.</summary>
    /// <param name="server">A transport into the API server as a user of system:masters.</param>
    /// <param name="policy">What shall be there.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task EnsureAsync(HttpMessageInvoker server, BootstrapPolicy policy, CancellationToken cancellationToken)
    {
        foreach (var role in policy.ClusterRoles)
        {
            await EnsureAsync(server, role, AddMissingRules, cancellationToken);
        }

        foreach (var binding in policy.ClusterRoleBindings)
        {
            await EnsureAsync(server, binding, AddMissingSubjects, cancellationToken);
        }

        await EnsureAsync(server, SystemPriority("system-node-critical", 2000001000, "Used for system critical pods that must not be moved from their current node."), (_, _) => false, cancellationToken);
        await EnsureAsync(server, SystemPriority("system-cluster-critical", 2000000000, "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."), (_, _) => false, cancellationToken);
    }

    private static V1PriorityClass SystemPriority(string name, int value, string description) => new()
    {
        ApiVersion = "scheduling.k8s.io/v1",
        Kind = "PriorityClass",
        Metadata = new V1ObjectMeta { Name = name },
        Value = value,
        Description = description,
        PreemptionPolicy = "PreemptLowerPriority",
    };

    private static async Task EnsureAsync<T>(HttpMessageInvoker server, T wanted, Func<T, T, bool> repair, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var resource = ResourceTable.For<T>();
        var collection = $"/apis/{resource.Group}/{resource.Version}/{resource.Plural}";
        var path = $"{collection}/{Uri.EscapeDataString(wanted.Metadata.Name)}";
        var existing = await SendAsync<T>(server, HttpMethod.Get, path, null, cancellationToken);
        if (existing is null)
        {
            await SendAsync(server, HttpMethod.Post, collection, wanted, cancellationToken);
        }
        else if (MayRepair(existing) && repair(existing, wanted))
        {
            await SendAsync(server, HttpMethod.Put, path, existing, cancellationToken);
        }
    }

    private static bool MayRepair<T>(T existing) where T : IKubernetesObject<V1ObjectMeta> =>
        existing.Metadata.Annotations is not { } annotations || !annotations.TryGetValue(AutoUpdate, out var value) || value != "false";

    private static bool AddMissingRules(V1ClusterRole existing, V1ClusterRole wanted)
    {
        if (wanted.AggregationRule is not null)
        {
            return false;
        }

        var present = (existing.Rules ?? []).Select(Printed).ToHashSet();
        var missing = wanted.Rules.Where(r => !present.Contains(Printed(r))).ToList();
        existing.Rules = [.. existing.Rules ?? [], .. missing];
        return missing.Count > 0;
    }

    private static bool AddMissingSubjects(V1ClusterRoleBinding existing, V1ClusterRoleBinding wanted)
    {
        var present = (existing.Subjects ?? []).Select(s => (s.Kind, s.Name)).ToHashSet();
        var missing = wanted.Subjects.Where(s => !present.Contains((s.Kind, s.Name))).ToList();
        existing.Subjects = [.. existing.Subjects ?? [], .. missing];
        return missing.Count > 0;
    }

    private static string Printed(V1PolicyRule rule) => ObjectCodec.ToObject(rule).ToJsonString();

    private static async Task<T?> SendAsync<T>(HttpMessageInvoker server, HttpMethod method, string path, T? body, CancellationToken cancellationToken)
        where T : class
    {
        using var request = new HttpRequestMessage(method, new Uri("https://localhost" + path));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(ObjectCodec.ToUtf8(body));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }

        using var response = await server.SendAsync(request, cancellationToken);
        if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Conflict)
        {
            return null; // absent, or another server of this store was faster
        }

        var bytes = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        return response.IsSuccessStatusCode
            ? ObjectCodec.ToModel<T>(bytes)
            : throw new ApiException(ObjectCodec.ToModel<V1Status>(bytes));
    }
}
