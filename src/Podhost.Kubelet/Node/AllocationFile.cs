using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Kubelet.Pods.Decide;

namespace Podhost.Kubelet.Node;

/// <summary>
/// What pods were given, on the disk: after a restart they have that and not what was asked for meanwhile. A crash of the machine ends the pods
/// too, so it need not be synchronous; a crash of this process leaves the old content or the new one.
/// </summary>
/// <param name="path">The file.</param>
internal sealed class AllocationFile(string path)
{
    /// <summary>What it says, by UID of the pod. A file that cannot be read says nothing.</summary>
    /// <param name="error">Why it could not be read; null where it could, or is not there.</param>
    public Dictionary<string, PodAllocation> Read(out string? error)
    {
        error = null;
        try
        {
            var pods = (JsonNode.Parse(File.ReadAllText(path)) as JsonObject)?["pods"] as JsonObject ?? throw new FormatException("not a list of pods");
            return pods.ToDictionary(p => p.Key, p => Pod((JsonObject)p.Value!), StringComparer.Ordinal);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or FormatException or InvalidOperationException or InvalidCastException or NullReferenceException)
        {
            error = e.Message;
            return [];
        }
    }

    /// <summary>Replaces the content.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    public void Write(IEnumerable<KeyValuePair<string, PodAllocation>> pods)
    {
        var list = new JsonObject();
        foreach (var (uid, allocation) in pods)
        {
            var containers = new JsonObject();
            foreach (var (name, resources) in allocation.Containers.OrderBy(c => c.Key, StringComparer.Ordinal))
            {
                containers[name] = Resources(resources);
            }

            list[uid] = new JsonObject { ["generation"] = allocation.Generation, ["containers"] = containers };
            if (allocation.Whole is { } whole)
            {
                list[uid]!["pod"] = Resources(whole);
            }
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var unfinished = path + ".tmp";
        File.WriteAllText(unfinished, new JsonObject { ["pods"] = list }.ToJsonString());
        File.Move(unfinished, path, overwrite: true);
    }

    private static PodAllocation Pod(JsonObject pod) => new(
        pod["generation"]!.GetValue<long>(),
        ((JsonObject)pod["containers"]!).ToImmutableDictionary(
            c => c.Key,
            c => Resources(c.Value!),
            StringComparer.Ordinal),
        null)
    {
        Whole = pod["pod"] is { } whole ? Resources(whole) : null,
    };

    private static JsonObject Resources(V1ResourceRequirements resources) => new() { ["requests"] = Map(resources.Requests), ["limits"] = Map(resources.Limits) };

    private static V1ResourceRequirements Resources(JsonNode node) => new() { Requests = Map(node["requests"]), Limits = Map(node["limits"]) };

    private static JsonObject? Map(IDictionary<string, ResourceQuantity>? list) =>
        list is null ? null : new JsonObject(list.Select(e => KeyValuePair.Create(e.Key, (JsonNode?)JsonValue.Create(e.Value.ToString()))));

    private static Dictionary<string, ResourceQuantity>? Map(JsonNode? node) =>
        (node as JsonObject)?.ToDictionary(e => e.Key, e => new ResourceQuantity(e.Value!.GetValue<string>()));
}
