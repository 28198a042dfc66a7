using System.Text.Json.Nodes;
using Podhost.Api.CustomResources;

namespace Podhost.ApiServer.Registry.Custom;

/// <summary>Which names of a definition are accepted: those that no other definition of the group has. Pure.</summary>
/// <remarks>Source: apiextensions-apiserver pkg/controller/status/naming_controller.go, pkg/controller/establish and pkg/controller/apiapproval.</remarks>
internal static class NamingRules
{
    /// <summary>Brings accepted names and conditions of a definition up to date, in place.</summary>
    /// <param name="definition">The definition.</param>
    /// <param name="others">All definitions; the same one among them does not count.</param>
    /// <param name="now">Time of transitions.</param>
    public static void Apply(JsonObject definition, IEnumerable<JsonObject> others, DateTimeOffset now)
    {
        var group = Meta.Text(Meta.At(definition, "spec", "group"));
        var taken = others
            .Where(o => Meta.Name(o) != Meta.Name(definition) && Meta.Text(Meta.At(o, "spec", "group")) == group)
            .Select(o => Meta.At(o, "status", "acceptedNames") as JsonObject ?? []).ToList();
        var conflict = Accept(definition, taken);
        if (conflict is null)
        {
            DefinitionConditions.Set(definition, "NamesAccepted", "True", "NoConflicts", "no conflicts found", now);
        }
        else
        {
            DefinitionConditions.Set(definition, "NamesAccepted", "False", conflict.Value.Reason, conflict.Value.Message, now);
        }

        // Once established, a kind stays so.
        if (DefinitionConditions.StatusOf(definition, "Established") != "True")
        {
            var (status, reason, message) = conflict is null
                ? ("True", "InitialNamesAccepted", "the initial names have been accepted") : ("False", "NotAccepted", "not all names are accepted");
            DefinitionConditions.Set(definition, "Established", status, reason, message, now);
        }

        Approve(definition, group, now);
    }

    private static (string Reason, string Message)? Accept(JsonObject definition, List<JsonObject> taken)
    {
        var (wanted, accepted) = (Meta.At(definition, "spec", "names") as JsonObject ?? [], Meta.Child(Meta.Child(definition, "status"), "acceptedNames"));
        var resources = taken.SelectMany(n => new[] { Meta.Text(n["plural"]), Meta.Text(n["singular"]) }.Concat(ShortNames(n)))
            .ToHashSet(StringComparer.Ordinal);
        var kinds = taken.SelectMany(n => new[] { Meta.Text(n["kind"]), Meta.Text(n["listKind"]) }).ToHashSet(StringComparer.Ordinal);
        (string, string)? conflict = null;
        foreach (var (name, used, reason) in new[]
        {
            ("plural", resources, "PluralConflict"), ("singular", resources, "SingularConflict"), ("shortNames", resources, "ShortNamesConflict"),
            ("kind", kinds, "KindConflict"), ("listKind", kinds, "ListKindConflict"),
        })
        {
            var clashes = (name == "shortNames" ? ShortNames(wanted) : [Meta.Text(wanted[name])])
                .Where(n => n.Length > 0 && used.Contains(n) && !ShortNames(accepted).Append(Meta.Text(accepted[name])).Contains(n)).ToList();
            if (clashes.Count == 0)
            {
                Meta.CopyField(wanted, accepted, name);
            }
            else
            {
                conflict = (reason, Join(clashes.Select(c => $"\"{c}\" is already in use").ToList()));
            }
        }

        Meta.CopyField(wanted, accepted, "categories");
        return conflict;
    }

    private static string Join(List<string> errors) => errors.Count == 1 ? errors[0] : $"[{string.Join(", ", errors)}]";

    private static IEnumerable<string> ShortNames(JsonObject names) => (names["shortNames"] as JsonArray ?? []).Select(Meta.Text);

    // Only groups of the Kubernetes community have the condition.
    private static void Approve(JsonObject definition, string group, DateTimeOffset now)
    {
        if (!ApiApproval.IsProtected(group))
        {
            return;
        }

        var text = Meta.Text(Meta.At(definition, "metadata", "annotations", ApiApproval.Annotation));
        var (status, reason, message) = ApiApproval.IsApproval(text) ? ("True", "ApprovedAnnotation", "approved in " + text)
            : ApiApproval.IsUnapproved(text) ? ("False", "UnapprovedAnnotation", $"not approved: \"{text}\"")
            : text.Length == 0 ? ("False", "MissingAnnotation", ApiApproval.Missing)
            : ("False", "InvalidAnnotation", ApiApproval.Invalid);
        DefinitionConditions.Set(definition, "KubernetesAPIApprovalPolicyConformant", status, reason, message, now);
    }
}
