using System.Net;
using k8s.Models;
using Podhost.Api.Validation;

namespace Podhost.Api.Errors;

/// <summary>A failure that has a Kubernetes Status: the server writes it as it is, the client throws it as it was received.</summary>
public sealed class ApiException : Exception
{
    /// <summary>Wraps a Status.</summary>
    public ApiException(V1Status status, Exception? inner = null)
        : base(status.Message, inner) => Status = status;

    /// <summary>The Status, with code, reason, message and details.</summary>
    public V1Status Status { get; }

    /// <summary>HTTP status code.</summary>
    public HttpStatusCode Code => (HttpStatusCode)(Status.Code ?? 500);

    /// <summary>Machine-readable reason, for example <c>NotFound</c>.</summary>
    public string Reason => Status.Reason ?? "";

    /// <summary>True for 404 NotFound.</summary>
    public bool IsNotFound => Code == HttpStatusCode.NotFound;

    /// <summary>True for 409 with reason Conflict.</summary>
    public bool IsConflict => Code == HttpStatusCode.Conflict && Reason == "Conflict";

    /// <summary>True for 409 with reason AlreadyExists.</summary>
    public bool IsAlreadyExists => Code == HttpStatusCode.Conflict && Reason == "AlreadyExists";

    /// <summary>404: <c>pods "x" not found</c>.</summary>
    public static ApiException NotFound(string group, string plural, string name) =>
        Make(404, "NotFound", $"{Qualified(group, plural)} \"{name}\" not found", group, plural, name);

    /// <summary>409: <c>pods "x" already exists</c>.</summary>
    public static ApiException AlreadyExists(string group, string plural, string name) =>
        Make(409, "AlreadyExists", $"{Qualified(group, plural)} \"{name}\" already exists", group, plural, name);

    /// <summary>409: <c>Operation cannot be fulfilled on pods "x": why</c>.</summary>
    public static ApiException Conflict(string group, string plural, string name, string why) =>
        Make(409, "Conflict", $"Operation cannot be fulfilled on {Qualified(group, plural)} \"{name}\": {why}", group, plural, name);

    /// <summary>The conflict of an update from a stale read.</summary>
    public static ApiException StaleWrite(string group, string plural, string name) =>
        Conflict(group, plural, name, "the object has been modified; please apply your changes to the latest version and try again");

    /// <summary>400 with reason BadRequest.</summary>
    public static ApiException BadRequest(string message) => Make(400, "BadRequest", message);

    /// <summary>403: <c>pods "x" is forbidden: why</c>.</summary>
    public static ApiException Forbidden(string group, string plural, string name, string why) =>
        Make(403, "Forbidden", name.Length == 0
            ? $"{Qualified(group, plural)} is forbidden: {why}"
            : $"{Qualified(group, plural)} \"{name}\" is forbidden: {why}", group, plural, name);

    /// <summary>401.</summary>
    public static ApiException Unauthorized() => Make(401, "Unauthorized", "Unauthorized");

    /// <summary>405.</summary>
    public static ApiException MethodNotAllowed(string message) => Make(405, "MethodNotAllowed", message);

    /// <summary>406.</summary>
    public static ApiException NotAcceptable(string message) => Make(406, "NotAcceptable", message);

    /// <summary>410 Gone with reason Expired: the revision asked for was compacted.</summary>
    public static ApiException Expired(string message) => Make(410, "Expired", message);

    /// <summary>413.</summary>
    public static ApiException TooLarge(string message) => Make(413, "RequestEntityTooLarge", message);

    /// <summary>415.</summary>
    public static ApiException UnsupportedMediaType(string message) => Make(415, "UnsupportedMediaType", message);

    /// <summary>429, with seconds after which to try again.</summary>
    public static ApiException TooManyRequests(string message, int retryAfterSeconds)
    {
        var e = Make(429, "TooManyRequests", message);
        e.Status.Details = new V1StatusDetails { RetryAfterSeconds = retryAfterSeconds };
        return e;
    }

    /// <summary>500 with reason InternalError.</summary>
    public static ApiException Internal(string message, Exception? inner = null) =>
        new(Make(500, "InternalError", "Internal error occurred: " + message).Status, inner);

    /// <summary>503 with reason ServiceUnavailable.</summary>
    public static ApiException Unavailable(string message) => Make(503, "ServiceUnavailable", message);

    /// <summary>422: <c>Pod "x" is invalid: …</c> with a cause a field.</summary>
    /// <remarks>Phrased as upstream's field.ErrorList.ToAggregate: one error plain, several as <c>[a, b]</c>.</remarks>
    public static ApiException Invalid(string group, string kind, string name, IReadOnlyList<FieldError> errors)
    {
        var distinct = errors.Select(e => e.ToString()).Distinct().ToList();
        var body = distinct.Count == 1 ? distinct[0] : "[" + string.Join(", ", distinct) + "]";
        return new ApiException(new V1Status
        {
            ApiVersion = "v1",
            Kind = "Status",
            Metadata = new V1ListMeta(),
            Status = "Failure",
            Code = 422,
            Reason = "Invalid",
            Message = $"{kind}{(group.Length > 0 ? "." + group : "")} \"{name}\" is invalid: {body}",
            Details = new V1StatusDetails
            {
                Group = group.Length == 0 ? null : group,
                Kind = kind,
                Name = name,
                Causes = [.. errors.Select(e => new V1StatusCause { Field = e.Field, Reason = e.Reason, Message = e.Body })],
            },
        });
    }

    /// <summary>A Failure Status of any code and reason.</summary>
    public static ApiException Make(int code, string reason, string message, string group = "", string plural = "", string name = "") =>
        new(new V1Status
        {
            ApiVersion = "v1",
            Kind = "Status",
            Metadata = new V1ListMeta(),
            Status = "Failure",
            Code = code,
            Reason = reason,
            Message = message,
            Details = plural.Length == 0 ? null : new V1StatusDetails
            {
                Group = group.Length == 0 ? null : group,
                Kind = plural,
                Name = name.Length == 0 ? null : name,
            },
        });

    private static string Qualified(string group, string plural) => group.Length == 0 ? plural : $"{plural}.{group}";
}
