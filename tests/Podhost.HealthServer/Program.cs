using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

// PORT DIRECTORY: answers grpc.health.v1.Health/Check. What it says of a service stands in the file of that name ("overall" for the service
// without one): SERVING, NOT_SERVING or UNKNOWN; HANG never answers; without the file the service is not known.
var (port, directory) = (int.Parse(args[0], CultureInfo.InvariantCulture), args[1]);
var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Any, port, listen => listen.Protocols = HttpProtocols.Http2));
await using var app = builder.Build();
app.Run(context => Health.AnswerAsync(context, directory));
await app.RunAsync();
return 0;

/// <summary>The health service (https://github.com/grpc/grpc/blob/master/doc/health-checking.md).</summary>
internal static class Health
{
    private const int Ok = 0;
    private const int NotFound = 5;
    private const int Unimplemented = 12;
    private static readonly string[] Statuses = ["UNKNOWN", "SERVING", "NOT_SERVING"];

    internal static async Task AnswerAsync(HttpContext context, string directory)
    {
        context.Response.ContentType = "application/grpc";
        var service = await ServiceAsync(context.Request.Body);
        var file = Path.Combine(directory, service.Length == 0 ? "overall" : service);
        if (context.Request.Path != "/grpc.health.v1.Health/Check")
        {
            End(context, Unimplemented, "unknown method");
        }
        else if (!File.Exists(file))
        {
            End(context, NotFound, "unknown service");
        }
        else
        {
            await SayAsync(context, (await File.ReadAllTextAsync(file)).Trim());
        }
    }

    private static async Task SayAsync(HttpContext context, string status)
    {
        if (status == "HANG")
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        // A message: not compressed, its length in four bytes, then field 1 of HealthCheckResponse.
        await context.Response.Body.WriteAsync(new byte[] { 0, 0, 0, 0, 2, 8, (byte)Array.IndexOf(Statuses, status) });
        End(context, Ok, "");
    }

    private static void End(HttpContext context, int code, string message)
    {
        context.Response.AppendTrailer("grpc-status", code.ToString(CultureInfo.InvariantCulture));
        context.Response.AppendTrailer("grpc-message", message);
    }

    // Field 1 of HealthCheckRequest, shorter than 128 bytes, after the message's five.
    private static async Task<string> ServiceAsync(Stream body)
    {
        using var buffer = new MemoryStream();
        await body.CopyToAsync(buffer);
        var bytes = buffer.ToArray();
        return bytes.Length > 7 ? System.Text.Encoding.UTF8.GetString(bytes, 7, bytes[6]) : "";
    }
}
