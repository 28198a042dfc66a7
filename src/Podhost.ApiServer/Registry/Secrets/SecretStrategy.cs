using System.Text;
using System.Text.Json.Nodes;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Registry.Secrets;

/// <summary>stringData is a way to write only: it goes into data and wins over it.</summary>
internal sealed class SecretStrategy(ResourceInfo resource) : ResourceStrategy(resource)
{
    public override void PrepareForCreate(JsonObject obj)
    {
        MergeStringData(obj);
        if (Meta.Text(obj["type"]).Length == 0)
        {
            obj["type"] = "Opaque";
        }
    }

    public override void PrepareForUpdate(JsonObject obj, JsonObject old, string subresource)
    {
        MergeStringData(obj);

        // The type cannot be changed; left out it means the old one.
        if (Meta.Text(obj["type"]).Length == 0)
        {
            Meta.CopyField(old, obj, "type");
        }
    }

    private static void MergeStringData(JsonObject obj)
    {
        if (obj["stringData"] is JsonObject strings)
        {
            var data = Meta.Child(obj, "data");
            foreach (var (key, value) in strings)
            {
                data[key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(Meta.Text(value)));
            }
        }

        obj.Remove("stringData");
    }
}
