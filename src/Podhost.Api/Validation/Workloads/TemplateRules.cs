using System.Text.Json.Nodes;
using Podhost.Api.Selectors;
using Podhost.Api.Validation.Metadata;
using Podhost.Api.Validation.Pods;

namespace Podhost.Api.Validation.Workloads;

/// <summary>Pod templates and the selectors that must find their pods. Source: upstream's apps validation.</summary>
internal static class TemplateRules
{
    /// <summary>A template of pods that are restarted for ever, and a selector that finds them.</summary>
    public static void Check(Field spec)
    {
        CheckSelector(spec, "deployment");
        CheckTemplate(spec["template"]);
        CheckRunsForEver(spec["template"], "ReplicaSet");
    }

    /// <summary>A template of pods that are restarted for ever.</summary>
    /// <param name="template">The template.</param>
    /// <param name="kind">The kind, as the message names it.</param>
    public static void CheckRunsForEver(Field template, string kind)
    {
        var (policy, deadline) = (template["spec"]["restartPolicy"], template["spec"]["activeDeadlineSeconds"]);
        if (policy.Text != "Always")
        {
            policy.Add(FieldError.NotSupported(policy.Path, policy.Text, ["Always"]));
        }

        if (deadline.IsSet)
        {
            deadline.Forbidden($"activeDeadlineSeconds in {kind} is not Supported");
        }
    }

    /// <summary>The template itself.</summary>
    public static void CheckTemplate(Field template)
    {
        ObjectMetaRules.CheckLabels(template["metadata"]["labels"]);
        PodSpecRules.Check(template["spec"], "");
        if (template["spec"]["ephemeralContainers"].Count > 0)
        {
            template["spec"]["ephemeralContainers"].Forbidden("ephemeral containers not allowed in pod template");
        }
    }

    /// <summary>A selector that is there, is not empty and finds the template.</summary>
    /// <param name="spec">The spec.</param>
    /// <param name="kind">The kind, as the message for an empty selector names it.</param>
    public static void CheckSelector(Field spec, string kind)
    {
        var selector = spec["selector"];
        if (!selector.IsSet)
        {
            selector.Required();
            return;
        }

        SelectorRules.Check(selector);
        if (selector["matchLabels"].Count + selector["matchExpressions"].Count == 0)
        {
            selector.Invalid($"empty selector is invalid for {kind}");
            return;
        }

        if (!Matches(selector.Node as JsonObject, spec["template"]["metadata"]["labels"]))
        {
            spec["template"]["metadata"]["labels"].Invalid("`selector` does not match template `labels`");
        }
    }

    /// <summary>True where the selector finds the labels; a broken selector is reported elsewhere.</summary>
    public static bool Matches(JsonObject? selector, Field labels)
    {
        try
        {
            return LabelSelector.FromObject(selector).Matches(labels.Entries.ToDictionary(e => e.Key, e => e.Value.Text, StringComparer.Ordinal));
        }
        catch (FormatException)
        {
            return true;
        }
    }
}
