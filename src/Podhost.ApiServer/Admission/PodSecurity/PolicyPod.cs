using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.PodSecurity;

/// <summary>A pod, or a workload's template of one, as the checks read it.</summary>
internal sealed class PolicyPod
{
    public PolicyPod(JsonObject? metadata, JsonObject spec)
    {
        Annotations = metadata?["annotations"] as JsonObject ?? [];
        Spec = spec;
        SecurityContext = spec["securityContext"] as JsonObject;
        Containers =
        [
            .. ((ReadOnlySpan<string>)["initContainers", "containers", "ephemeralContainers"]).ToArray()
                .SelectMany(list => (spec[list] as JsonArray ?? []).OfType<JsonObject>())
                .Select(c => new PolicyContainer(Meta.Text(c["name"]), c, c["securityContext"] as JsonObject)),
        ];
    }

    public JsonObject Annotations { get; }

    public JsonObject Spec { get; }

    public JsonObject? SecurityContext { get; }

    /// <summary>Init, main and ephemeral containers, in this order.</summary>
    public IReadOnlyList<PolicyContainer> Containers { get; }

    public IEnumerable<JsonObject> Volumes => (Spec["volumes"] as JsonArray ?? []).OfType<JsonObject>();

    /// <summary>True where root inside is nobody outside.</summary>
    public bool HasUserNamespace => Flag(Spec["hostUsers"]) == false;

    public bool IsWindows => Meta.Text((Spec["os"] as JsonObject)?["name"]) == "windows";

    public static bool? Flag(JsonNode? node) => node is JsonValue v && v.TryGetValue(out bool b) ? b : null;

    public static long? Number(JsonNode? node) => node is JsonValue v && v.TryGetValue(out long n) ? n : null;
}

/// <summary>A container of a pod.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Json">All of it.</param>
/// <param name="SecurityContext">Its securityContext, or null.</param>
internal readonly record struct PolicyContainer(string Name, JsonObject Json, JsonObject? SecurityContext);
