using Microsoft.AspNetCore.Http;

namespace Podhost.ApiServer.InProcess;

/// <summary>Runs requests through the server's pipeline in the same process: no socket, no TLS, same rules.</summary>
/// <remarks>Responses stream through a pipe, so watches work; disposing the response or cancelling the request ends the other side too.</remarks>
internal sealed class InProcessHandler(Func<HttpContext, Task> pipeline, CancellationToken stopping) : HttpMessageHandler
{
    private static readonly Uri Base = new("http://in-process/");

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (stopping.IsCancellationRequested)
        {
            throw new HttpRequestException("the API server has stopped");
        }

        var body = request.Content is null ? Stream.Null : await request.Content.ReadAsStreamAsync(cancellationToken);
        var exchange = new InProcessExchange(stopping);
        var context = CreateContext(request, body, exchange);
        _ = RunAsync(context, exchange);

        // Until the headers are there the caller's token ends the request; afterwards disposing the response does.
        using var registration = cancellationToken.Register(exchange.Abort);
        var response = await exchange.Response.WaitAsync(cancellationToken);
        response.RequestMessage = request;
        return response;
    }

    private async Task RunAsync(HttpContext context, InProcessExchange exchange)
    {
        try
        {
            await pipeline(context);
            await exchange.FinishAsync();
        }
        catch (Exception e)
        {
            exchange.Fail(e);
        }
    }

    private static DefaultHttpContext CreateContext(HttpRequestMessage request, Stream body, InProcessExchange exchange)
    {
        var uri = request.RequestUri is { IsAbsoluteUri: true } absolute ? absolute : new Uri(Base, request.RequestUri?.OriginalString ?? "");
        var context = new DefaultHttpContext(exchange.Features);
        var target = context.Request;
        target.Method = request.Method.Method;
        target.Scheme = uri.Scheme;
        target.Host = HostString.FromUriComponent(uri);
        target.Path = PathString.FromUriComponent(uri);
        target.QueryString = QueryString.FromUriComponent(uri);
        target.Protocol = HttpProtocol.Http11;
        target.Body = body;
        foreach (var (name, values) in request.Headers)
        {
            // Values that .NET keeps apart are one list in HTTP; a user agent's parts are separated by spaces.
            target.Headers[name] = string.Join(name == "User-Agent" ? " " : ",", values);
        }

        foreach (var (name, values) in request.Content?.Headers ?? Enumerable.Empty<KeyValuePair<string, IEnumerable<string>>>())
        {
            target.Headers[name] = values.ToArray();
        }

        return context;
    }
}
