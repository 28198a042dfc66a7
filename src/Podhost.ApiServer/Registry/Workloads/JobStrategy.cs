using System.Text.Json.Nodes;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Registry.Workloads;

/// <summary>Jobs get a selector of their own and labels for it, unless the user takes care of that (manualSelector).</summary>
internal sealed class JobStrategy(ResourceInfo resource) : ResourceStrategy(resource)
{
    private const string Uid = "batch.kubernetes.io/controller-uid";
    private const string Name = "batch.kubernetes.io/job-name";

    public override void PrepareForCreate(JsonObject obj)
    {
        base.PrepareForCreate(obj);
        if (obj["spec"] is not JsonObject spec || spec["manualSelector"] is JsonValue v && v.TryGetValue<bool>(out var manual) && manual)
        {
            return;
        }

        var (uid, name) = (Meta.Get(obj, "uid"), Meta.Name(obj));
        var labels = Ensure(Ensure(Ensure(spec, "template"), "metadata"), "labels");
        (labels[Uid], labels["controller-uid"], labels[Name], labels["job-name"]) = (uid, uid, name, name);
        Ensure(Ensure(spec, "selector"), "matchLabels")[Uid] = uid;
    }

    private static JsonObject Ensure(JsonObject from, string name)
    {
        if (from[name] is not JsonObject child)
        {
            from[name] = child = [];
        }

        return child;
    }
}
