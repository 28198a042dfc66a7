using System.Text.Json.Nodes;

namespace Podhost.Api.Defaulting;

/// <summary>Defaults of LimitRange items for containers: the limit from the maximum, the request from the limit, else from the minimum.</summary>
internal static class LimitRangeDefaults
{
    public static void Apply(JsonObject range)
    {
        foreach (var item in Defaults.Items(Defaults.Ensure(range, "spec"), "limits").Where(i => Defaults.Text(i, "type") == "Container"))
        {
            Fill(item, "default", "max");
            Fill(item, "defaultRequest", "default");
            Fill(item, "defaultRequest", "min");
        }
    }

    private static void Fill(JsonObject item, string field, string from)
    {
        foreach (var (name, value) in Defaults.Child(item, from) ?? [])
        {
            var target = Defaults.Ensure(item, field);
            if (!target.ContainsKey(name))
            {
                target[name] = value?.DeepClone();
            }
        }
    }
}
