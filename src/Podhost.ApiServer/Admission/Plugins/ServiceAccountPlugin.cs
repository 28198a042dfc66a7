using System.Security.Cryptography;
using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Admission.Plugins;

/// <summary>
/// Gives every pod its service account: the name, the account's pull secrets, and the projected volume with token, root CA and namespace at
/// /var/run/secrets/kubernetes.io/serviceaccount, as client-go's in-cluster configuration expects. Source: upstream's ServiceAccount plugin.
/// </summary>
public sealed class ServiceAccountPlugin(TimeProvider time) : IAdmissionPlugin
{
    private const string TokenMountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
    private const string DefaultAccount = "default";
    private const long TokenSeconds = 3607;
    private const string SuffixAlphabet = "bcdfghjklmnpqrstvwxz2456789";
    private static readonly ResourceInfo Accounts = ResourceTable.For<V1ServiceAccount>();

    // A new namespace gets its default account from a controller: a create that comes right behind waits for it, bounded.
    private static readonly TimeSpan AccountWait = TimeSpan.FromMilliseconds(50);
    private const int AccountTries = 20;

    /// <inheritdoc />
    public string Name => "ServiceAccount";

    /// <inheritdoc />
    public bool Handles(AdmissionRequest request) => PodAdmission.IsCreation(request);

    /// <inheritdoc />
    public async ValueTask AdmitAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        var pod = request.Object!;
        var spec = PodAdmission.Spec(pod);
        if (PodAdmission.IsMirror(pod))
        {
            RefuseReferences(request, spec);
            return;
        }

        var name = PodAdmission.Text(spec["serviceAccountName"]) is { Length: > 0 } given ? given : DefaultAccount;
        spec["serviceAccountName"] = name;
        spec["serviceAccount"] = name;
        var account = await FindAsync(request, name, cancellationToken) ?? throw ApiException.Forbidden(
            "", "pods", request.Name, $"error looking up service account {request.Namespace}/{name}: serviceaccount \"{name}\" not found");

        if (WantsToken(spec, account))
        {
            MountToken(spec);
        }

        if (spec["imagePullSecrets"] is not JsonArray { Count: > 0 } && account["imagePullSecrets"] is JsonArray { Count: > 0 } secrets)
        {
            spec["imagePullSecrets"] = secrets.DeepClone();
        }
    }

    private async Task<JsonObject?> FindAsync(AdmissionRequest request, string name, CancellationToken cancellationToken)
    {
        for (var attempt = 0; ; attempt++)
        {
            if (request.Objects.Get(Accounts, request.Namespace, name) is { } found)
            {
                return found.ToObject();
            }

            if (attempt == 0)
            {
                await request.Objects.CatchUpAsync(cancellationToken);
                continue;
            }

            if (name != DefaultAccount || attempt > AccountTries)
            {
                return null;
            }

            await Task.Delay(AccountWait, time, cancellationToken);
        }
    }

    private static void RefuseReferences(AdmissionRequest request, JsonObject spec)
    {
        if (PodAdmission.Text(spec["serviceAccountName"]) is { Length: > 0 })
        {
            throw ApiException.Forbidden("", "pods", request.Name, "a mirror pod may not reference service accounts");
        }

        if (((spec["volumes"] as JsonArray) ?? []).Any(v => v?["secret"] is not null))
        {
            throw ApiException.Forbidden("", "pods", request.Name, "a mirror pod may not reference secrets");
        }
    }

    private static bool WantsToken(JsonObject spec, JsonObject account) =>
        (spec["automountServiceAccountToken"] ?? account["automountServiceAccountToken"])?.GetValue<bool>() ?? true;

    private static void MountToken(JsonObject spec)
    {
        var unmounted = PodAdmission.Containers(spec)
            .Where(c => !PodAdmission.List(c, "volumeMounts").Any(m => PodAdmission.Text(m?["mountPath"]) == TokenMountPath))
            .ToList();
        if (unmounted.Count == 0)
        {
            return;
        }

        var volumes = PodAdmission.List(spec, "volumes");
        var name = "kube-api-access-" + RandomNumberGenerator.GetString(SuffixAlphabet, 5);
        volumes.Add((JsonNode)TokenVolume(name));
        foreach (var container in unmounted)
        {
            PodAdmission.List(container, "volumeMounts").Add((JsonNode)new JsonObject
            {
                ["name"] = name,
                ["readOnly"] = true,
                ["mountPath"] = TokenMountPath,
            });
        }
    }

    private static JsonObject TokenVolume(string name) => new()
    {
        ["name"] = name,
        ["projected"] = new JsonObject
        {
            ["sources"] = new JsonArray(
                new JsonObject { ["serviceAccountToken"] = new JsonObject { ["expirationSeconds"] = TokenSeconds, ["path"] = "token" } },
                new JsonObject
                {
                    ["configMap"] = new JsonObject
                    {
                        ["name"] = "kube-root-ca.crt",
                        ["items"] = new JsonArray(new JsonObject { ["key"] = "ca.crt", ["path"] = "ca.crt" }),
                    },
                },
                new JsonObject
                {
                    ["downwardAPI"] = new JsonObject
                    {
                        ["items"] = new JsonArray(new JsonObject
                        {
                            ["path"] = "namespace",
                            ["fieldRef"] = new JsonObject { ["apiVersion"] = "v1", ["fieldPath"] = "metadata.namespace" },
                        }),
                    },
                }),
            ["defaultMode"] = 420,
        },
    };
}
