using System.Text.Json.Nodes;

namespace Podhost.ApiServer.Admission.Plugins;

/// <summary>Pods tolerate a node that is not ready or unreachable for 300 s, unless they say otherwise. Source: upstream's DefaultTolerationSeconds.</summary>
public sealed class DefaultTolerationSecondsPlugin : IAdmissionPlugin
{
    private const long Seconds = 300;

    /// <inheritdoc />
    public string Name => "DefaultTolerationSeconds";

    /// <inheritdoc />
    public bool Handles(AdmissionRequest request) => PodAdmission.IsCreation(request);

    /// <inheritdoc />
    public ValueTask AdmitAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        var tolerations = PodAdmission.List(PodAdmission.Spec(request.Object!), "tolerations");
        Add(tolerations, "node.kubernetes.io/not-ready");
        Add(tolerations, "node.kubernetes.io/unreachable");
        return ValueTask.CompletedTask;
    }

    private static void Add(JsonArray tolerations, string taint)
    {
        if (!tolerations.OfType<JsonObject>().Any(t => Tolerates(t, taint)))
        {
            tolerations.Add((JsonNode)new JsonObject { ["key"] = taint, ["operator"] = "Exists", ["effect"] = "NoExecute", ["tolerationSeconds"] = Seconds });
        }
    }

    private static bool Tolerates(JsonObject toleration, string taint) =>
        PodAdmission.Text(toleration["key"]) is var key && (key == taint || string.IsNullOrEmpty(key))
        && PodAdmission.Text(toleration["effect"]) is null or "" or "NoExecute";
}
