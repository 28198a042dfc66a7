using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Extensions;

/// <summary>APIServices. Source: kube-aggregator pkg/apis/apiregistration/validation. Those of other servers are refused.</summary>
internal static class ApiServiceRules
{
    private const int HighestGroupPriority = 20_000;
    private const int HighestVersionPriority = 1_000;

    public static void Create(Field service)
    {
        var wanted = $"{service["spec"]["version"].Text}.{service["spec"]["group"].Text}";
        ObjectMetaRules.CheckCreate(service["metadata"], namespaced: false, name =>
            name == wanted ? Names.PathSegment(name) : Names.PathSegment(name).Append($"must be `spec.version+\".\"+spec.group`: \"{wanted}\""), isExtension: true);
        CheckSpec(service["spec"]);
    }

    public static void Update(Field service, Field old)
    {
        ObjectMetaRules.CheckUpdate(service["metadata"], old["metadata"], isExtension: true);
        CheckSpec(service["spec"]);
    }

    private static void CheckSpec(Field spec)
    {
        if (spec["service"].IsSet)
        {
            spec["service"].Forbidden("other API servers are not aggregated by this server");
        }

        if (spec["version"].Text.Length == 0)
        {
            spec["version"].Required();
        }

        CheckPriority(spec["groupPriorityMinimum"], HighestGroupPriority);
        CheckPriority(spec["versionPriority"], HighestVersionPriority);
    }

    private static void CheckPriority(Field priority, int highest)
    {
        if (priority.Number < 1 || priority.Number > highest)
        {
            priority.Invalid($"must be positive and less than or equal to {highest}");
        }
    }
}
