using System.Net;
using System.Text;
using System.Text.Json;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Objects;

namespace Podhost.Client.Requests;

/// <summary>Makes exceptions of failure answers: a Status as it is, anything else (a proxy's page) with its code and beginning.</summary>
internal static class StatusReader
{
    private const int ShownCharacters = 512;

    internal static ApiException Read(HttpStatusCode code, ReadOnlySpan<byte> body)
    {
        if (TryParse(body) is { } status)
        {
            status.Code ??= (int)code;
            return new ApiException(status);
        }

        var text = Encoding.UTF8.GetString(body[..Math.Min(body.Length, ShownCharacters)]).Trim();
        return ApiException.Make((int)code, Reason(code), text.Length == 0 ? $"the server answered {(int)code}" : text);
    }

    /// <summary>The Status of an Error event of a watch.</summary>
    internal static ApiException ReadEvent(ReadOnlySpan<byte> status) =>
        TryParse(status) is { } parsed
            ? new ApiException(parsed)
            : ApiException.Internal("the watch sent an error that is no Status");

    private static V1Status? TryParse(ReadOnlySpan<byte> body)
    {
        try
        {
            var status = ObjectCodec.ToModel<V1Status>(body);
            return status?.Kind == "Status" ? status : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Reason(HttpStatusCode code) => code switch
    {
        HttpStatusCode.BadRequest => "BadRequest",
        HttpStatusCode.Unauthorized => "Unauthorized",
        HttpStatusCode.Forbidden => "Forbidden",
        HttpStatusCode.NotFound => "NotFound",
        HttpStatusCode.MethodNotAllowed => "MethodNotAllowed",
        HttpStatusCode.Conflict => "Conflict",
        HttpStatusCode.Gone => "Expired",
        HttpStatusCode.RequestEntityTooLarge => "RequestEntityTooLarge",
        HttpStatusCode.UnsupportedMediaType => "UnsupportedMediaType",
        HttpStatusCode.UnprocessableEntity => "Invalid",
        HttpStatusCode.TooManyRequests => "TooManyRequests",
        HttpStatusCode.InternalServerError => "InternalError",
        HttpStatusCode.ServiceUnavailable => "ServiceUnavailable",
        HttpStatusCode.GatewayTimeout => "Timeout",
        _ => "Unknown",
    };
}
