using System.Text.Json.Nodes;

namespace Podhost.Api.Patching;

/// <summary>The directives that a strategic merge patch may hold.</summary>
internal static class Directives
{
    public const string Patch = "$patch";
    public const string RetainKeys = "$retainKeys";
    public const string DeleteFromPrimitiveList = "$deleteFromPrimitiveList/";
    public const string SetElementOrder = "$setElementOrder/";

    /// <summary>The value of <c>$patch</c>, or null.</summary>
    public static string? PatchOf(JsonObject obj)
    {
        if (!obj.TryGetPropertyValue(Patch, out var directive))
        {
            return null;
        }

        return directive is JsonValue v && v.TryGetValue(out string? s) ? s : throw Unknown(obj);
    }

    public static Errors.ApiException Unknown(JsonObject obj) =>
        PatchFailure.Malformed($"unknown patch type: {GoFormat.Print(obj[Patch])} in map: {GoFormat.Print(obj)}");

    public static Errors.ApiException NoMergeKey(JsonObject obj, string key) =>
        PatchFailure.Malformed($"map: {GoFormat.Print(obj)} does not contain declared merge key: {key}");
}
