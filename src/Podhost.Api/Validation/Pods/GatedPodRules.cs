using System.Text.Json.Nodes;

namespace Podhost.Api.Validation.Pods;

/// <summary>Where a pod may run can be narrowed as long as scheduling gates hold it back, never widened.</summary>
internal static class GatedPodRules
{
    private const string Required = "requiredDuringSchedulingIgnoredDuringExecution";

    public static void Check(Field spec, Field old)
    {
        var selector = spec["nodeSelector"];
        if (old["nodeSelector"].Entries.Any(e => selector.Key(e.Key).Text != e.Value.Text))
        {
            selector.Invalid("only additions are allowed (no mutations or deletions)");
        }

        CheckTerms(spec["affinity"]["nodeAffinity"][Required]["nodeSelectorTerms"], old["affinity"]["nodeAffinity"][Required]["nodeSelectorTerms"]);
    }

    private static void CheckTerms(Field terms, Field old)
    {
        if (old.Count == 0)
        {
            return;
        }

        if (terms.Count != old.Count)
        {
            terms.Invalid("no additions/deletions to non-empty NodeSelectorTerms list are allowed");
            return;
        }

        for (var i = 0; i < terms.Count; i++)
        {
            foreach (var list in (string[])["matchExpressions", "matchFields"])
            {
                if (!old.At(i)[list].Items.Select((o, j) => (o, j)).All(e => JsonNode.DeepEquals(terms.At(i)[list].At(e.j).Node, e.o.Node)))
                {
                    terms.At(i).Invalid("only additions are allowed (no mutations or deletions)");
                    break;
                }
            }
        }
    }
}
