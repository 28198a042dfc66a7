using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.PodSecurity;

/// <summary>Which changes of a pod are worth another evaluation: images, new ephemeral containers and the old seccomp annotations. All else that matters is immutable.</summary>
internal static class SignificantChange
{
    private const string Seccomp = "seccomp.security.alpha.kubernetes.io/pod";
    private const string ContainerSeccomp = "container.seccomp.security.alpha.kubernetes.io/";

    public static bool Is(JsonObject pod, JsonObject old) =>
        Annotation(pod, Seccomp) != Annotation(old, Seccomp)
        || ((string[])["containers", "initContainers", "ephemeralContainers"]).Any(list => Changed(list, pod, old));

    private static bool Changed(string list, JsonObject pod, JsonObject old)
    {
        var before = Containers(old, list);
        var now = Containers(pod, list);
        return (list != "ephemeralContainers" && now.Count != before.Count) || now.Any(container =>
        {
            var name = Meta.Text(container["name"]);
            var key = ContainerSeccomp + name;
            return before.Find(c => Meta.Text(c["name"]) == name) is not { } former
                || Meta.Text(former["image"]) != Meta.Text(container["image"])
                || Annotation(pod, key) != Annotation(old, key);
        });
    }

    private static List<JsonObject> Containers(JsonObject pod, string list) => [.. (pod["spec"]?[list] as JsonArray ?? []).OfType<JsonObject>()];

    private static string Annotation(JsonObject pod, string key) => Meta.Text((pod["metadata"]?["annotations"] as JsonObject)?[key]);
}
