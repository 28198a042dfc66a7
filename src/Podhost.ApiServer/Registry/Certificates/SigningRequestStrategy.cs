using System.Text.Json.Nodes;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Registry.Certificates;

/// <summary>
/// What is asked for never changes; approval changes conditions only, status all but what was approved or denied. Source: upstream's strategies of
/// certificatesigningrequests.
/// </summary>
internal sealed class SigningRequestStrategy(ResourceInfo resource) : ResourceStrategy(resource)
{
    public override void PrepareForUpdate(JsonObject obj, JsonObject old, string subresource)
    {
        Meta.CopyField(old, obj, "spec");
        switch (subresource)
        {
            case "approval":
                KeepAllBut("status", obj, old);
                Meta.CopyField(Status(old), Status(obj), "certificate");
                break;
            case "status":
                KeepAllBut("status", obj, old);
                KeepVerdicts(obj, old);
                break;
            default:
                Meta.CopyField(old, obj, "status");
                break;
        }
    }

    // Who may write the status is a signer, and no approver.
    private static void KeepVerdicts(JsonObject obj, JsonObject old)
    {
        static bool IsVerdict(JsonNode? condition) => Meta.Text(condition?["type"]) is "Approved" or "Denied";
        var kept = (Status(old)["conditions"] as JsonArray ?? []).Where(IsVerdict);
        var others = (Status(obj)["conditions"] as JsonArray ?? []).Where(c => !IsVerdict(c));
        var conditions = kept.Concat(others).Select(c => c?.DeepClone()).ToArray();
        if (conditions.Length > 0)
        {
            Status(obj)["conditions"] = new JsonArray(conditions);
        }
        else
        {
            Status(obj).Remove("conditions");
        }
    }

    private static JsonObject Status(JsonObject obj) => Meta.Child(obj, "status");
}
