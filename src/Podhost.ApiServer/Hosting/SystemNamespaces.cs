using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.Routes;

namespace Podhost.ApiServer.Hosting;

/// <summary>The namespaces that every cluster has.</summary>
internal static class SystemNamespaces
{
    private static readonly string[] Names = ["default", "kube-system", "kube-public", "kube-node-lease"];
    private static readonly UserInfo Self = new("system:apiserver", [UserInfo.Masters]);

    /// <summary>Makes those that are missing; tries until it succeeds or is cancelled.</summary>
    public static async Task EnsureAsync(ApiServices services, ILogger log, CancellationToken cancellationToken)
    {
        foreach (var name in Names)
        {
            while (!await TryEnsureAsync(services, name, log, cancellationToken))
            {
                await Task.Delay(TimeSpan.FromSeconds(1), services.Time, cancellationToken);
            }
        }
    }

    private static async Task<bool> TryEnsureAsync(ApiServices services, string name, ILogger log, CancellationToken cancellationToken)
    {
        var namespaces = ResourceTable.For<V1Namespace>();
        try
        {
            if (await services.Store.FreshAsync(namespaces, "", name, cancellationToken) is null)
            {
                var obj = new JsonObject { ["metadata"] = new JsonObject { ["name"] = name } };
                var options = new WriteOptions(Self, "apiserver", DryRun: false, []);
                await services.Creator.CreateAsync(namespaces, "", obj, options, tracked: false, cancellationToken);
            }

            return true;
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            ServerLog.BootstrapFailed(log, e, name);
            return false;
        }
    }
}
