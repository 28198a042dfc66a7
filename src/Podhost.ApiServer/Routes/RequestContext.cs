using Microsoft.AspNetCore.Http;
using Podhost.Api.Resources;
using Podhost.ApiServer.Authn;

namespace Podhost.ApiServer.Routes;

/// <summary>One request on its way through the pipeline.</summary>
internal sealed class RequestContext(HttpContext http, RequestInfo info, string auditId)
{
    private const int MaxWarnings = 20;
    private readonly List<string> _warnings = [];

    public HttpContext Http { get; } = http;

    public RequestInfo Info { get; } = info;

    public string AuditId { get; } = auditId;

    /// <summary>Who asks; anonymous until authentication has run.</summary>
    public UserInfo User { get; set; } = UserInfo.Anonymous;

    /// <summary>The resource of the path; null for plain paths and for what is not served.</summary>
    public ResourceInfo? Resource { get; set; }

    public CancellationToken Aborted => Http.RequestAborted;

    /// <summary>Warnings for the client, sent as headers.</summary>
    public ICollection<string> Warnings => _warnings;

    /// <summary>Keys of a YAML body that occur twice; fieldValidation says what that means.</summary>
    public List<string> DuplicateKeys { get; } = [];

    /// <summary>A query parameter; empty where it is not given.</summary>
    public string Query(string name) => Http.Request.Query.TryGetValue(name, out var v) ? v.ToString() : "";

    /// <summary>A boolean query parameter as Go parses it: given without a value it is true.</summary>
    public bool Flag(string name) =>
        Http.Request.Query.TryGetValue(name, out var v) && v.ToString().ToLowerInvariant() is not ("0" or "false" or "f");

    /// <summary>Puts the warnings into the response's headers; before the body is begun.</summary>
    public void WriteWarnings()
    {
        foreach (var warning in _warnings.Distinct(StringComparer.Ordinal).Take(MaxWarnings))
        {
            Http.Response.Headers.Append("Warning", $"299 - \"{Quote(warning)}\"");
        }
    }

    private static string Quote(string text)
    {
        var clean = new System.Text.StringBuilder(text.Length);
        foreach (var c in text)
        {
            if (c is '"' or '\\')
            {
                clean.Append('\\');
            }

            // Header values are ASCII: everything else would end the connection or split the header.
            clean.Append(c is >= ' ' and < (char)127 ? c : ' ');
        }

        return clean.ToString();
    }
}
