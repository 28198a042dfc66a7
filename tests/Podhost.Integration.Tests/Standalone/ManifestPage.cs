using System.Net;
using System.Text;
using Podhost.Tests.Shared;

namespace Podhost.Integration.Tests.Standalone;

/// <summary>A web server with one page, for those who know the password; it says whether the page changed.</summary>
public sealed class ManifestPage : IDisposable
{
    /// <summary>Value of the header X-Pass.</summary>
    public const string Pass = "let me read";

    private readonly HttpListener _listener = new();
    private volatile string _text = """{"apiVersion": "v1", "kind": "PodList", "items": []}""";
    private volatile bool _broken;
    private volatile TaskCompletionSource _unchanged = new();

    public ManifestPage()
    {
        Url = $"http://127.0.0.1:{Loopback.FreePort()}/";
        _listener.Prefixes.Add(Url);
        _listener.Start();
        _ = ServeAsync();
    }

    public string Url { get; }

    /// <summary>Puts another text on the page.</summary>
    public void Write(string text) => (_text, _broken) = (text, false);

    /// <summary>The server answers with its own trouble.</summary>
    public void Break() => _broken = true;

    /// <summary>Completes when somebody was told that he has the page as it is.</summary>
    public Task NextUnchangedAsync() => (_unchanged = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task.WaitAsync(TimeSpan.FromSeconds(30));

    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                await AnswerAsync(await _listener.GetContextAsync());
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                // The client is gone, or the page is.
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        var text = _text;
        var tag = $"\"{Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(text)))}\"";
        var same = context.Request.Headers["If-None-Match"] == tag;
        context.Response.StatusCode = context.Request.Headers["X-Pass"] != Pass ? 403 : _broken ? 500 : same ? 304 : 200;
        context.Response.Headers["ETag"] = tag;
        if (context.Response.StatusCode == 200)
        {
            await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(text));
        }

        context.Response.Close();
        if (same && !_broken)
        {
            _unchanged.TrySetResult();
        }
    }
}
