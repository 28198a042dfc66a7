using System.Text;
using Podhost.ApiServer.Routes;

namespace Podhost.ApiServer.Discovery;

/// <summary>One thing that can be well or not.</summary>
/// <param name="Name">Name in the verbose answer.</param>
/// <param name="IsWell">Asks it.</param>
/// <param name="Live">True where its failure means that the process should be restarted.</param>
internal sealed record HealthCheck(string Name, Func<bool> IsWell, bool Live = false);

/// <summary>/healthz, /livez, /readyz and single checks below them.</summary>
internal sealed class HealthHandler(IReadOnlyList<HealthCheck> checks)
{
    public static bool Owns(string path) => Root(path) is "healthz" or "livez" or "readyz";

    public ValueTask HandleAsync(RequestContext context, string path)
    {
        var root = Root(path);
        var single = path.Length > root.Length + 2 ? path[(root.Length + 2)..] : "";
        var excluded = context.Http.Request.Query["exclude"];
        var asked = checks
            .Where(c => root != "livez" || c.Live)
            .Where(c => single.Length == 0 || c.Name == single)
            .Where(c => !excluded.Contains(c.Name))
            .ToList();
        if (single.Length > 0 && asked.Count == 0)
        {
            throw PlainRoutes.NotFound();
        }

        var text = new StringBuilder();
        var well = true;
        foreach (var check in asked)
        {
            var ok = check.IsWell();
            well &= ok;
            text.Append(ok ? $"[+]{check.Name} ok\n" : $"[-]{check.Name} failed: reason withheld\n");
        }

        text.Append(well ? $"{root} check passed\n" : $"{root} check failed\n");
        var verbose = context.Http.Request.Query.ContainsKey("verbose");
        var body = well && !verbose ? "ok" : text.ToString();
        return ResponseWriter.WriteBytesAsync(context, well ? 200 : 500, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(body));
    }

    private static string Root(string path)
    {
        var end = path.IndexOf('/', 1);
        return end < 0 ? path[1..] : path[1..end];
    }
}
