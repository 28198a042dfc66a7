using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Admission.Certificates;

/// <summary>A CertificateSigningRequest says who made it: that is for the server to write, whatever the client wrote. Always on.</summary>
internal sealed class RequesterIdentity : IAdmissionPlugin
{
    private static readonly ResourceInfo Requests = ResourceTable.For<V1CertificateSigningRequest>();

    public string Name => "RequesterIdentity";

    public bool Handles(AdmissionRequest request) => request is { Operation: AdmissionOperation.Create, Subresource: "" } && request.Resource == Requests;

    public ValueTask AdmitAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        if (request.Object!["spec"] is not JsonObject spec)
        {
            request.Object["spec"] = spec = [];
        }

        foreach (var field in (ReadOnlySpan<string>)["username", "uid", "groups", "extra"])
        {
            spec.Remove(field);
        }

        var user = request.User;
        spec["username"] = user.Name;
        if (user.Uid.Length > 0)
        {
            spec["uid"] = user.Uid;
        }

        if (user.Groups.Count > 0)
        {
            spec["groups"] = new JsonArray([.. user.Groups.Select(g => (JsonNode)JsonValue.Create(g))]);
        }

        if (user.Extra.Count > 0)
        {
            spec["extra"] = new JsonObject(user.Extra.Select(e =>
                KeyValuePair.Create(e.Key, (JsonNode?)new JsonArray([.. e.Value.Select(v => (JsonNode)JsonValue.Create(v))]))));
        }

        return ValueTask.CompletedTask;
    }
}
