using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.Limits;

/// <summary>Gives containers the requests and limits that a LimitRange has for those that say nothing, and notes it in an annotation.</summary>
internal static class LimitDefaults
{
    private const string Annotation = "kubernetes.io/limit-ranger";

    public static void Apply(V1LimitRange range, JsonObject pod)
    {
        var items = (range.Spec?.Limits ?? []).Where(i => i.Type == "Container").ToList();
        var requests = Merge(items.Select(i => i.DefaultRequest));
        var limits = Merge(items.Select(i => i.DefaultProperty));
        var notes = new List<string>();
        foreach (var (list, kind) in ((string, string)[])[("containers", "container"), ("initContainers", "init container")])
        {
            foreach (var container in (Meta.At(pod, "spec", list) as JsonArray ?? []).OfType<JsonObject>())
            {
                var setLimits = Fill(container, "limits", limits);
                Note(notes, Fill(container, "requests", requests), "request", kind, container);
                Note(notes, setLimits, "limit", kind, container);
            }
        }

        if (notes.Count > 0)
        {
            Meta.Child(Meta.Of(pod), "annotations")[Annotation] = "LimitRanger plugin set: " + string.Join("; ", notes);
        }
    }

    private static SortedDictionary<string, string> Merge(IEnumerable<IDictionary<string, ResourceQuantity>?> lists)
    {
        var result = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, amount) in lists.SelectMany(l => l ?? new Dictionary<string, ResourceQuantity>()))
        {
            result[name] = amount.ToString();
        }

        return result;
    }

    private static List<string> Fill(JsonObject container, string field, SortedDictionary<string, string> defaults)
    {
        var set = new List<string>();
        foreach (var (name, amount) in defaults)
        {
            var list = Meta.Child(Meta.Child(container, "resources"), field);
            if (!list.ContainsKey(name))
            {
                list[name] = amount;
                set.Add(name);
            }
        }

        return set;
    }

    private static void Note(List<string> notes, List<string> names, string what, string kind, JsonObject container)
    {
        if (names.Count > 0)
        {
            notes.Add($"{string.Join(", ", names)} {what} for {kind} {Meta.Text(container["name"])}");
        }
    }
}
