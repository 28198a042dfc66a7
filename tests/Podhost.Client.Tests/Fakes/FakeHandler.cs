using System.Net;
using System.Text;

namespace Podhost.Client.Tests.Fakes;

/// <summary>Answers each request by a function and remembers what was asked.</summary>
internal sealed class FakeHandler(Func<HttpRequestMessage, string, HttpResponseMessage> answer) : HttpMessageHandler
{
    internal List<(HttpMethod Method, string PathAndQuery, string Body, string? ContentType)> Requests { get; } = [];

    internal static HttpResponseMessage Json(string body, int code = 200) =>
        new((HttpStatusCode)code) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    internal static HttpResponseMessage Status(int code, string reason, string message) => Json(
        $$"""{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"{{message}}","reason":"{{reason}}","code":{{code}}}""", code);

    internal static HttpResponseMessage Stream(Stream body) => new(HttpStatusCode.OK) { Content = new StreamContent(body) };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        lock (Requests)
        {
            Requests.Add((request.Method, request.RequestUri!.PathAndQuery, body, request.Content?.Headers.ContentType?.MediaType));
        }

        cancellationToken.ThrowIfCancellationRequested();
        return answer(request, body);
    }
}
