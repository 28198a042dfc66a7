using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Podhost.Api.Errors;
using Podhost.Api.Validation;

namespace Podhost.ApiServer.Registry;

/// <summary>What to do with the dependents of a deleted object.</summary>
internal enum Propagation
{
    /// <summary>Not said: finalizers that are there stay.</summary>
    Unset,
    Background,
    Foreground,
    Orphan,
}

/// <summary>DeleteOptions, from the body or from the query.</summary>
internal sealed record DeletionOptions
{
    /// <summary>Grace period in seconds, or null.</summary>
    public long? GraceSeconds { get; init; }

    public Preconditions Preconditions { get; init; }

    public Propagation Propagation { get; init; }

    /// <summary>orphanDependents=false as old clients say it: the answer is 202 while the object stays.</summary>
    public bool AcceptedWhilePending { get; init; }

    public bool DryRun { get; init; }

    /// <summary>Reads DeleteOptions from a JSON object.</summary>
    /// <exception cref="ApiException">422: they contradict themselves.</exception>
    public static DeletionOptions From(JsonObject? body)
    {
        if (body is null)
        {
            return new DeletionOptions();
        }

        var errors = new List<FieldError>();
        bool? orphan = body["orphanDependents"] is JsonValue o && o.TryGetValue(out bool flag) ? flag : null;
        var policy = Meta.Text(body["propagationPolicy"]);
        if (orphan is not null && policy.Length > 0)
        {
            errors.Add(FieldError.InvalidString("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set"));
        }
        else if (policy is not ("" or "Foreground" or "Background" or "Orphan"))
        {
            errors.Add(FieldError.NotSupported("propagationPolicy", policy, ["Foreground", "Background", "Orphan", "nil"]));
        }

        var dryRun = body["dryRun"] as JsonArray ?? [];
        errors.AddRange(dryRun.Select(Meta.Text).Where(v => v != "All").Select(v => FieldError.NotSupported("dryRun", v, ["All"])));
        if (errors.Count > 0)
        {
            throw ApiException.Invalid("meta.k8s.io", "DeleteOptions", "", errors);
        }

        var preconditions = body["preconditions"] as JsonObject;
        return new DeletionOptions
        {
            GraceSeconds = body["gracePeriodSeconds"] is JsonValue g && g.TryGetValue(out long seconds) ? seconds : null,
            Preconditions = new Preconditions(TextOrNull(preconditions?["uid"]), TextOrNull(preconditions?["resourceVersion"])),
            Propagation = (orphan, policy) switch
            {
                (true, _) or (_, "Orphan") => Propagation.Orphan,
                (_, "Foreground") => Propagation.Foreground,
                (false, _) or (_, "Background") => Propagation.Background,
                _ => Propagation.Unset,
            },
            AcceptedWhilePending = orphan == false,
            DryRun = dryRun.Count > 0,
        };
    }

    /// <summary>DeleteOptions of query parameters.</summary>
    /// <param name="query">Gives a parameter's value, empty where it is not there.</param>
    /// <exception cref="ApiException">400: a value cannot be read.</exception>
    public static JsonObject FromQuery(Func<string, string> query)
    {
        var body = new JsonObject();
        if (query("gracePeriodSeconds") is { Length: > 0 } grace)
        {
            body["gracePeriodSeconds"] = long.TryParse(grace, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds)
                ? seconds
                : throw ApiException.BadRequest($"strconv.ParseInt: parsing \"{grace}\": invalid syntax");
        }

        if (query("orphanDependents") is { Length: > 0 } orphan)
        {
            body["orphanDependents"] = orphan is "true" or "1";
        }

        if (query("propagationPolicy") is { Length: > 0 } policy)
        {
            body["propagationPolicy"] = policy;
        }

        if (query("dryRun") is { Length: > 0 } dryRun)
        {
            body["dryRun"] = new JsonArray(dryRun);
        }

        return body;
    }

    private static string? TextOrNull(JsonNode? node) =>
        node is JsonValue v && v.GetValueKind() == JsonValueKind.String ? v.GetValue<string>() : null;
}
