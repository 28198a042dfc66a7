using Microsoft.AspNetCore.Http;

namespace Podhost.Kubelet.Server.Http;

/// <summary>Answers of the kubelet's API.</summary>
internal static class TextResponse
{
    public static Task TextAsync(HttpContext context, int code, string text)
    {
        if (context.Response.HasStarted)
        {
            context.Abort(); // too late for an error answer: a broken connection must tell it
            return Task.CompletedTask;
        }

        context.Response.StatusCode = code;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text, context.RequestAborted);
    }

    public static Task JsonAsync(HttpContext context, ReadOnlyMemory<byte> json)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        return context.Response.Body.WriteAsync(json, context.RequestAborted).AsTask();
    }
}
