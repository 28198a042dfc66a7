using k8s.Models;
using Podhost.Api.Errors;

namespace Podhost.Api.FieldManagement;

/// <summary>The Status of a conflict between appliers.</summary>
internal static class ApplyConflict
{
    public static ApiException Make(IReadOnlyDictionary<ManagerKey, FieldSet> conflicts)
    {
        var all = conflicts
            .OrderBy(c => c.Key.ToString(), StringComparer.Ordinal)
            .SelectMany(c => c.Value.Paths().Select(path => (Manager: c.Key.ToString(), Path: path)))
            .ToList();
        var e = ApiException.Make(409, "Conflict", Message(all));
        e.Status.Details = new V1StatusDetails
        {
            Causes = [.. all.Select(c => new V1StatusCause
            {
                Reason = "FieldManagerConflict",
                Message = $"conflict with {c.Manager}",
                Field = c.Path,
            })],
        };
        return e;
    }

    private static string Message(List<(string Manager, string Path)> conflicts)
    {
        if (conflicts.Count == 1)
        {
            return $"Apply failed with 1 conflict: conflict with {conflicts[0].Manager}: {conflicts[0].Path}";
        }

        var lines = conflicts.GroupBy(c => c.Manager)
            .SelectMany(g => g.Select(c => "- " + c.Path).Prepend($"conflicts with {g.Key}:"));
        return $"Apply failed with {conflicts.Count} conflicts: {string.Join('\n', lines)}";
    }
}
