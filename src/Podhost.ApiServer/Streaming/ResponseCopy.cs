using Microsoft.AspNetCore.Http;

namespace Podhost.ApiServer.Streaming;

/// <summary>Passes on what another server answers, as it comes.</summary>
internal static class ResponseCopy
{
    /// <summary>Writes each piece to the client at once: a follower of a log waits for the line, not for a full buffer.</summary>
    /// <param name="from">The other server's body.</param>
    /// <param name="context">The client's request.</param>
    public static async Task CopyAsync(Stream from, HttpContext context)
    {
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await from.ReadAsync(buffer, context.RequestAborted)) > 0)
        {
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
        }
    }
}
