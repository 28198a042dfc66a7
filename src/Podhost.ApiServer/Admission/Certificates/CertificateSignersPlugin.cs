using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Certificates;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.ApiServer.Authz;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.Certificates;

/// <summary>
/// Who approves a request needs the verb approve on its signer, who signs it the verb sign; and nobody gets a client certificate of system:masters. Source:
/// upstream's plugins CertificateApproval, CertificateSigning and CertificateSubjectRestriction.
/// </summary>
/// <param name="authorizer">Decides about signers.</param>
public sealed class CertificateSignersPlugin(IAuthorizer authorizer) : IAdmissionPlugin
{
    private const string ClientSigner = "kubernetes.io/kube-apiserver-client";
    private static readonly ResourceInfo Requests = ResourceTable.For<V1CertificateSigningRequest>();

    /// <inheritdoc />
    public string Name => "CertificateSigners";

    /// <inheritdoc />
    public bool Handles(AdmissionRequest request) =>
        request.Resource == Requests
        && request is ({ Operation: AdmissionOperation.Create, Subresource: "" } or { Operation: AdmissionOperation.Update, Subresource: "approval" or "status" });

    /// <inheritdoc />
    public async ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (request.Operation == AdmissionOperation.Create)
        {
            CheckSubject(request.Object!);
        }
        else if (request.Subresource == "approval")
        {
            await RequireAsync(request, "approve", "user not permitted to approve requests with signerName", cancellationToken);
        }
        else if (Signs(request.Object!, request.OldObject!))
        {
            await RequireAsync(request, "sign", "user not permitted to sign requests with signerName", cancellationToken);
        }
    }

    private static bool Signs(JsonObject obj, JsonObject old) =>
        Meta.Text(Meta.At(obj, "status", "certificate")) != Meta.Text(Meta.At(old, "status", "certificate"))
        || !JsonNode.DeepEquals(Meta.At(obj, "status", "conditions"), Meta.At(old, "status", "conditions"));

    private static void CheckSubject(JsonObject request)
    {
        if (Meta.Text(Meta.At(request, "spec", "signerName")) != ClientSigner)
        {
            return;
        }

        var pem = Convert.FromBase64String(Meta.Text(Meta.At(request, "spec", "request")));
        if (SigningRequest.Read(pem).Organizations.Contains("system:masters"))
        {
            throw ApiException.Forbidden(
                Requests.Group, Requests.Plural, Meta.Name(request), $"use of {ClientSigner} signer with system:masters group is not allowed");
        }
    }

    private async ValueTask RequireAsync(AdmissionRequest request, string verb, string otherwise, CancellationToken cancellationToken)
    {
        // What is asked about is the stored request: its signer cannot change.
        var signer = Meta.Text(Meta.At(request.OldObject!, "spec", "signerName"));
        foreach (var name in (string[])[signer, signer.Split('/')[0] + "/*"])
        {
            var attributes = new AuthorizationAttributes(request.User, verb) { IsResourceRequest = true, Group = Requests.Group, Version = "*", Resource = "signers", Name = name };
            if ((await authorizer.AuthorizeAsync(attributes, cancellationToken)).IsAllowed)
            {
                return;
            }
        }

        throw ApiException.Forbidden(Requests.Group, Requests.Plural, Meta.Name(request.OldObject!), $"{otherwise} \"{signer}\"");
    }
}
