using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Core;

/// <summary>Events of both groups.</summary>
internal static class EventRules
{
    private const int MaxNote = 1024;
    private const int MaxReason = 128;

    public static void CreateCore(Field e)
    {
        ObjectMetaRules.CheckCreate(e["metadata"], namespaced: true, Names.DnsSubdomain);
        CheckNamespace(e["involvedObject"]["namespace"], e);
    }

    public static void Create(Field e)
    {
        ObjectMetaRules.CheckCreate(e["metadata"], namespaced: true, Names.DnsSubdomain);
        CheckNamespace(e.Child("involvedObject", e["regarding"].Node)["namespace"], e);
        foreach (var field in (string[])["eventTime", "reportingController", "reportingInstance", "action", "reason"])
        {
            if (e[field].Text.Length == 0)
            {
                e[field].Required();
            }
        }

        e["reportingController"].CheckIfSet(Names.Qualified);
        e["type"].With(e["type"].Node ?? "").OneOf("Normal", "Warning");
        if (e["reason"].Text.Length > MaxReason)
        {
            e["reason"].TooLong(MaxReason);
        }

        if (e["note"].Text.Length > MaxNote)
        {
            e["note"].TooLong(MaxNote);
        }
    }

    public static void Update(Field e, Field old) => ObjectMetaRules.CheckUpdate(e["metadata"], old["metadata"]);

    private static void CheckNamespace(Field about, Field e)
    {
        var own = e["metadata"]["namespace"].Text;

        // What happens to an object without a namespace is told in the default one.
        if (about.Text.Length == 0 ? own is not ("default" or "kube-system") : about.Text != own)
        {
            about.InvalidText(about.Text, "does not match event.namespace");
        }
    }
}
