using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Workloads;

/// <summary>PodTemplates: a template that nobody has taken yet. Source: upstream's ValidatePodTemplate.</summary>
internal static class PodTemplateRules
{
    /// <summary>A new template, or one that replaces another.</summary>
    public static void Check(Field template)
    {
        ObjectMetaRules.CheckCreate(template["metadata"], namespaced: true, Names.DnsSubdomain);
        TemplateRules.CheckTemplate(template["template"]);
    }
}
