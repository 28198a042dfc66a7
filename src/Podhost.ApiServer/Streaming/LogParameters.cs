using System.Globalization;
using Microsoft.AspNetCore.Http;
using Podhost.Api.Errors;
using Podhost.Api.Validation;

namespace Podhost.ApiServer.Streaming;

/// <summary>The parameters of a request for logs. Source: upstream's ValidatePodLogOptions.</summary>
internal static class LogParameters
{
    private static readonly string[] Streams = ["All", "Stderr", "Stdout"];

    /// <summary>Checks what is asked for, before a kubelet is asked. What is no number is the kubelet's to refuse.</summary>
    /// <exception cref="ApiException">422: a parameter has no meaning.</exception>
    public static void Check(string pod, IQueryCollection query)
    {
        var faults = new List<FieldError>();
        AtLeast(faults, query, "tailLines", 0, "must be greater than or equal to 0");
        AtLeast(faults, query, "limitBytes", 1, "must be greater than 0");
        AtLeast(faults, query, "sinceSeconds", 1, "must be greater than 0");
        if (query["sinceSeconds"].Count > 0 && query["sinceTime"].Count > 0)
        {
            faults.Add(FieldError.Forbidden("sinceSeconds", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
        }

        if (query["stream"] is { Count: > 0 } stream)
        {
            CheckStream(faults, stream.ToString(), query["tailLines"].Count > 0);
        }

        if (faults.Count > 0)
        {
            throw ApiException.Invalid("", "PodLogOptions", pod, faults);
        }
    }

    private static void CheckStream(List<FieldError> faults, string stream, bool tailed)
    {
        if (!Streams.Contains(stream))
        {
            faults.Add(FieldError.NotSupported("stream", stream, Streams));
        }
        else if (stream != "All" && tailed)
        {
            faults.Add(FieldError.Forbidden("stream", "`tailLines` and specific `stream` are mutually exclusive for now"));
        }
    }

    private static void AtLeast(List<FieldError> faults, IQueryCollection query, string name, long least, string detail)
    {
        if (query[name] is { Count: > 0 } text && long.TryParse(text.ToString(), CultureInfo.InvariantCulture, out var number) && number < least)
        {
            faults.Add(FieldError.Invalid(name, text.ToString(), detail));
        }
    }
}
