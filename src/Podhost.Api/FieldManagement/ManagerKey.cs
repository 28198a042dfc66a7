namespace Podhost.Api.FieldManagement;

/// <summary>Who wrote: appliers are one manager over all versions, updaters are one a version.</summary>
internal sealed record ManagerKey(string Manager, string Operation, string ApiVersion, string Subresource)
{
    public const string ApplyOperation = "Apply";
    public const string UpdateOperation = "Update";

    public bool IsApplier => Operation == ApplyOperation;

    public static ManagerKey Applier(string manager, string? subresource) => new(manager, ApplyOperation, "", subresource ?? "");

    public static ManagerKey Updater(string manager, string apiVersion, string? subresource) =>
        new(manager.Length == 0 ? "unknown" : manager, UpdateOperation, apiVersion, subresource ?? "");

    /// <summary>As conflict messages name it.</summary>
    public override string ToString()
    {
        var text = $"\"{Manager}\"";
        if (Subresource.Length > 0)
        {
            text += $" with subresource \"{Subresource}\"";
        }

        return IsApplier ? text : $"{text} using {ApiVersion}";
    }
}
