using System.Globalization;
using Podhost.Api.Errors;
using Podhost.Api.Selectors;
using Podhost.Api.Validation;

namespace Podhost.ApiServer.Registry;

/// <summary>ListOptions: what to list or watch, from when on, and how much.</summary>
internal sealed record ListQuery
{
    public LabelSelector? Labels { get; init; }

    public FieldSelector? Fields { get; init; }

    /// <summary>True where the field selector or label selector names anything.</summary>
    public bool HasSelector => Labels is not null || Fields is not null;

    /// <summary>Most items, 0 for all.</summary>
    public long Limit { get; init; }

    public string Continue { get; init; } = "";

    /// <summary>Empty: newest; "0": whatever is there; else a revision.</summary>
    public string ResourceVersion { get; init; } = "";

    /// <summary>Exact, NotOlderThan or empty.</summary>
    public string Match { get; init; } = "";

    public bool AllowBookmarks { get; init; }

    public bool? SendInitialEvents { get; init; }

    /// <summary>How long a watch may take, in seconds; 0 leaves it to the server.</summary>
    public long TimeoutSeconds { get; init; }

    /// <summary><see cref="ResourceVersion"/> as a number; 0 where it is empty.</summary>
    public long Revision => ResourceVersion.Length == 0 ? 0 : long.Parse(ResourceVersion, CultureInfo.InvariantCulture);

    /// <summary>Reads and checks the parameters.</summary>
    /// <param name="query">Gives a parameter's value, empty where it is not there.</param>
    /// <param name="watch">True for a watch.</param>
    /// <exception cref="ApiException">400 or 422.</exception>
    public static ListQuery Parse(Func<string, string> query, bool watch)
    {
        var result = new ListQuery
        {
            Labels = ParseLabels(query("labelSelector")),
            Fields = ParseFields(query("fieldSelector")),
            Limit = Number(query("limit")),
            Continue = query("continue"),
            ResourceVersion = query("resourceVersion"),
            Match = query("resourceVersionMatch"),
            AllowBookmarks = query("allowWatchBookmarks") is "true" or "1",
            SendInitialEvents = query("sendInitialEvents") switch { "" => null, "true" or "1" => true, _ => false },
            TimeoutSeconds = Number(query("timeoutSeconds")),
        };
        var errors = watch ? result.WatchErrors() : result.ListErrors();
        if (errors.Count > 0)
        {
            throw ApiException.Invalid("meta.k8s.io", "ListOptions", "", errors);
        }

        if (result.ResourceVersion.Length > 0 && !ulong.TryParse(result.ResourceVersion, NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            throw ApiException.Invalid("meta.k8s.io", "ListOptions", "",
                [FieldError.InvalidString("resourceVersion", result.ResourceVersion, $"strconv.ParseUint: parsing \"{result.ResourceVersion}\": invalid syntax")]);
        }

        return result;
    }

    private List<FieldError> ListErrors()
    {
        const string field = "resourceVersionMatch";
        var errors = new List<FieldError>();
        if (Match.Length > 0)
        {
            if (ResourceVersion.Length == 0)
            {
                errors.Add(FieldError.Forbidden(field, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
            }

            if (Continue.Length > 0)
            {
                errors.Add(FieldError.Forbidden(field, "resourceVersionMatch is forbidden when continue is provided"));
            }

            if (Match is not ("Exact" or "NotOlderThan"))
            {
                errors.Add(FieldError.NotSupported(field, Match, ["Exact", "NotOlderThan", ""]));
            }

            if (Match == "Exact" && ResourceVersion == "0")
            {
                errors.Add(FieldError.Forbidden(field, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""));
            }
        }

        if (SendInitialEvents is not null)
        {
            errors.Add(FieldError.Forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
        }

        return errors;
    }

    private List<FieldError> WatchErrors()
    {
        const string field = "resourceVersionMatch";
        var errors = new List<FieldError>();
        if (SendInitialEvents is not null && Match != "NotOlderThan")
        {
            errors.Add(FieldError.Forbidden(field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
        }

        if (Match.Length > 0)
        {
            if (SendInitialEvents is null)
            {
                errors.Add(FieldError.Forbidden(field, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
            }

            if (Match != "NotOlderThan")
            {
                errors.Add(FieldError.NotSupported(field, Match, ["NotOlderThan"]));
            }

            if (Continue.Length > 0)
            {
                errors.Add(FieldError.Forbidden(field, "resourceVersionMatch is forbidden when continue is provided"));
            }
        }

        return errors;
    }

    private static LabelSelector? ParseLabels(string text)
    {
        try
        {
            return text.Length == 0 ? null : LabelSelector.Parse(text);
        }
        catch (FormatException e)
        {
            throw ApiException.BadRequest(e.Message);
        }
    }

    private static FieldSelector? ParseFields(string text)
    {
        try
        {
            var selector = text.Length == 0 ? null : FieldSelector.Parse(text);
            return selector is null or { IsEmpty: true } ? null : selector;
        }
        catch (FormatException e)
        {
            throw ApiException.BadRequest(e.Message);
        }
    }

    private static long Number(string text)
    {
        if (text.Length == 0)
        {
            return 0;
        }

        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n)
            ? Math.Max(n, 0)
            : throw ApiException.BadRequest($"strconv.ParseInt: parsing \"{text}\": invalid syntax");
    }
}
