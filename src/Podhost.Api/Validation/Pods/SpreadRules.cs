using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Pods;

/// <summary>spec.topologySpreadConstraints.</summary>
internal static class SpreadRules
{
    public static void Check(Field constraints)
    {
        var seen = new HashSet<(string, string)>();

        // Upstream reports the earlier of two equal ones.
        var repeated = new HashSet<int>();
        for (var i = constraints.Count - 1; i >= 0; i--)
        {
            if (!seen.Add((constraints.At(i)["topologyKey"].Text, constraints.At(i)["whenUnsatisfiable"].Text)))
            {
                repeated.Add(i);
            }
        }

        for (var i = 0; i < constraints.Count; i++)
        {
            CheckOne(constraints.At(i), repeated.Contains(i));
        }
    }

    private static void CheckOne(Field constraint, bool repeated)
    {
        var (key, action, domains) = (constraint["topologyKey"], constraint["whenUnsatisfiable"], constraint["minDomains"]);
        if (constraint["maxSkew"].Number <= 0)
        {
            constraint["maxSkew"].InvalidAs($"{constraint["maxSkew"].Number}", "must be greater than zero");
        }

        if (key.Text.Length == 0)
        {
            key.Required("can not be empty");
        }

        action.With(action.Node ?? "").OneOf("DoNotSchedule", "ScheduleAnyway");
        if (repeated)
        {
            constraint.Child("{topologyKey, whenUnsatisfiable}", null).Duplicate($"{{{key.Text}, {action.Text}}}");
        }

        if (domains.IsSet)
        {
            if (domains.Number <= 0)
            {
                domains.Invalid("must be greater than zero");
            }

            if (action.Text != "DoNotSchedule")
            {
                domains.Invalid($"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action.Text}");
            }
        }

        constraint["nodeAffinityPolicy"].OneOf("Honor", "Ignore");
        constraint["nodeTaintsPolicy"].OneOf("Honor", "Ignore");
        CheckLabelKeys(constraint["matchLabelKeys"], constraint["labelSelector"]);
        SelectorRules.Check(constraint["labelSelector"]);
    }

    private static void CheckLabelKeys(Field keys, Field selector)
    {
        if (keys.Count > 0 && !selector.IsSet)
        {
            keys.Forbidden("must not be specified when labelSelector is not set");
        }

        foreach (var key in keys.Items)
        {
            key.Check(Names.Qualified);
            LabelKeyRules.CheckNotInSelector(key, selector, "matchLabelKeys");
        }
    }
}
