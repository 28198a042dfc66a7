using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Certificates;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;

namespace Podhost.Control.Controllers.Certificates;

/// <summary>
/// CertificateSigningRequests: approves those of nodes that may have them, signs what is approved, removes what is old. Source: upstream's csrapproving,
/// csrsigning and csrcleaner; serving certificates are approved by itself too, where they name nothing but the node.
/// </summary>
public sealed partial class CertificateController : QueueController
{
    private readonly IApiClient _client;
    private readonly IInformer<V1CertificateSigningRequest> _requests;
    private readonly IInformer<V1Node> _nodes;
    private readonly CertificateIssuer _issuer;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    /// <summary>A controller.</summary>
    /// <param name="client">Writes requests, asks SubjectAccessReviews.</param>
    /// <param name="requests">All requests.</param>
    /// <param name="nodes">All nodes.</param>
    /// <param name="authority">Signs, with its key.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public CertificateController(
        IApiClient client, IInformer<V1CertificateSigningRequest> requests, IInformer<V1Node> nodes, X509Certificate2 authority, TimeProvider time, ILoggerFactory logs)
        : base(2, time, logs.CreateLogger<CertificateController>())
    {
        (_client, _requests, _nodes, _issuer, _time) = (client, requests, nodes, new CertificateIssuer(authority, time), time);
        _log = logs.CreateLogger<CertificateController>();
    }

    /// <inheritdoc />
    protected override IReadOnlyList<Task> Synced => [_requests.Synced, _nodes.Synced];

    /// <inheritdoc />
    protected override IEnumerable<IDisposable> Subscribe(WorkQueue<ObjectKey> queue)
    {
        yield return _requests.Subscribe(e => queue.Add(ObjectKey.Of(e.Object)));

        // A node that registered after it had asked.
        yield return _nodes.Subscribe(e =>
        {
            foreach (var request in _requests.List().Where(r => r.Spec.Username == SignerRules.NodePrefix + e.Object.Metadata.Name && !Is(r, "Approved") && !Is(r, "Denied")))
            {
                queue.Add(ObjectKey.Of(request));
            }
        });
    }

    /// <inheritdoc />
    protected override async Task ReconcileAsync(WorkQueue<ObjectKey> queue, ObjectKey key, CancellationToken cancellationToken)
    {
        if (_requests.Get(null, key.Name) is not { } request)
        {
            return;
        }

        try
        {
            if (SigningRequestLifetime.Left(request, _time.GetUtcNow()) is { } left && left <= TimeSpan.Zero)
            {
                var options = new V1DeleteOptions { Preconditions = new V1Preconditions { Uid = request.Metadata.Uid, ResourceVersion = request.Metadata.ResourceVersion } };
                await _client.DeleteAsync<V1CertificateSigningRequest>(null, key.Name, options, cancellationToken);
                return;
            }
            else if (SigningRequestLifetime.Left(request, _time.GetUtcNow()) is { } later)
            {
                queue.AddAfter(key, later);
            }

            await ActAsync(request, cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            // Gone.
        }
        catch (ApiException e) when (e.IsConflict)
        {
            queue.AddRateLimited(key);
        }
    }

    private async Task ActAsync(V1CertificateSigningRequest request, CancellationToken cancellationToken)
    {
        if (!SignerRules.Knows(request.Spec.SignerName) || Is(request, "Denied") || Is(request, "Failed") || request.Status?.Certificate is { Length: > 0 })
        {
            return;
        }

        var asked = SigningRequest.Read(request.Spec.Request);
        if (Is(request, "Approved"))
        {
            await SignAsync(request, asked, cancellationToken);
        }
        else if (await ApprovalAsync(request, asked, cancellationToken) is { } message)
        {
            await AddConditionAsync(request, "approval", "Approved", "AutoApproved", message, null, cancellationToken);
        }
    }

    private async Task SignAsync(V1CertificateSigningRequest request, SigningRequest asked, CancellationToken cancellationToken)
    {
        var usages = request.Spec.Usages.ToList();
        if (SignerRules.Refusal(request.Spec.SignerName, asked, usages) is { } refusal)
        {
            await AddConditionAsync(request, "status", "Failed", "SignerValidationFailure", refusal, null, cancellationToken);
            return;
        }

        var lifetime = request.Spec.ExpirationSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : (TimeSpan?)null;
        await AddConditionAsync(request, "status", null, "", "", _issuer.Issue(asked, usages, lifetime), cancellationToken);
        LogIssued(request.Metadata.Name, request.Spec.SignerName, asked.CommonName);
    }

    // The message of the approval, or null where it is not for us to approve.
    private async Task<string?> ApprovalAsync(V1CertificateSigningRequest request, SigningRequest asked, CancellationToken cancellationToken)
    {
        if (request.Spec.SignerName == SignerRules.KubeletServing)
        {
            return SignerRules.ServingApprovalRefusal(asked, request.Spec, [.. _nodes.List()]) is null ? "Auto approving kubelet serving certificate for the node's own addresses." : null;
        }

        if (request.Spec.SignerName != SignerRules.KubeletClient || SignerRules.KubeletClientRefusal(asked, [.. request.Spec.Usages]) is not null)
        {
            return null;
        }

        return request.Spec.Username == asked.CommonName && await MayAsync(request.Spec, "selfnodeclient", cancellationToken)
                ? "Auto approving self kubelet client certificate after SubjectAccessReview."
            : await MayAsync(request.Spec, "nodeclient", cancellationToken) ? "Auto approving kubelet client certificate after SubjectAccessReview."
            : null;
    }

    private async Task<bool> MayAsync(V1CertificateSigningRequestSpec spec, string subresource, CancellationToken cancellationToken)
    {
        var review = new V1SubjectAccessReview
        {
            ApiVersion = "authorization.k8s.io/v1",
            Kind = "SubjectAccessReview",
            Spec = new V1SubjectAccessReviewSpec
            {
                User = spec.Username,
                Uid = spec.Uid,
                Groups = spec.Groups,
                Extra = spec.Extra,
                ResourceAttributes = new V1ResourceAttributes { Group = "certificates.k8s.io", Resource = "certificatesigningrequests", Verb = "create", Subresource = subresource, Version = "*" },
            },
        };
        using var message = new HttpRequestMessage(HttpMethod.Post, new Uri("/apis/authorization.k8s.io/v1/subjectaccessreviews", UriKind.Relative))
        {
            Content = new ByteArrayContent(ObjectCodec.ToUtf8(review)),
        };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var answer = await _client.SendAsync(message, cancellationToken);
        var bytes = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
        return answer.IsSuccessStatusCode
            ? ObjectCodec.ToModel<V1SubjectAccessReview>(bytes).Status?.Allowed == true
            : throw new ApiException(ObjectCodec.ToModel<V1Status>(bytes));
    }

    private async Task AddConditionAsync(
        V1CertificateSigningRequest request, string subresource, string? type, string reason, string message, string? certificate, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var status = new JsonObject();
        if (type is not null)
        {
            var conditions = new JsonArray([.. (request.Status?.Conditions ?? []).Select(c => (JsonNode)ObjectCodec.ToObject(c))]);
            conditions.Add((JsonNode)new JsonObject
            {
                ["type"] = type, ["status"] = "True", ["reason"] = reason, ["message"] = message, ["lastUpdateTime"] = now, ["lastTransitionTime"] = now,
            });
            status["conditions"] = conditions;
        }

        if (certificate is not null)
        {
            status["certificate"] = Convert.ToBase64String(Encoding.ASCII.GetBytes(certificate));
        }

        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["uid"] = request.Metadata.Uid, ["resourceVersion"] = request.Metadata.ResourceVersion },
            ["status"] = status,
        };
        await _client.PatchAsync<V1CertificateSigningRequest>(null, request.Metadata.Name, PatchKind.Merge, patch, subresource, cancellationToken);
    }

    internal static bool Is(V1CertificateSigningRequest request, string type) => request.Status?.Conditions?.Any(c => c.Type == type) == true;

    [LoggerMessage(Level = LogLevel.Information, Message = "Certificate request {Name}: {Signer} issued a certificate to {Subject}")]
    private partial void LogIssued(string name, string signer, string subject);
}
