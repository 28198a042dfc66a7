using Microsoft.AspNetCore.Http;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Kubelet.Server.Http;
using Podhost.Streaming.Proxy;

namespace Podhost.Kubelet.Server;

/// <summary>/exec, /attach, /portForward (a URL of the runtime, then a tunnel to it) and /run (a command to its end).</summary>
internal sealed class StreamHandler(PodLookup lookup, IRuntimeService runtime, StreamTranslator? translator, TimeProvider time)
{
    private readonly UpgradeProxy proxy = new(time);

    /// <param name="context">The request.</param>
    /// <param name="target">Behind the verb: namespace, pod, a UID where given, container.</param>
    public async Task ExecAsync(HttpContext context, string[] target)
    {
        var streams = Streams.Parse(context.Request.Query);
        var command = Command(context.Request.Query);
        var request = new ExecRequest
        {
            ContainerId = Container(target),
            Tty = streams.Tty,
            Stdin = streams.Stdin,
            Stdout = streams.Stdout,
            Stderr = streams.Stderr,
        };
        request.Cmd.AddRange(command);
        RequireUpgrade(context);
        var response = await runtime.ExecAsync(request, context.RequestAborted).ConfigureAwait(false);
        await SessionAsync(context, response.Url, streams).ConfigureAwait(false);
    }

    public async Task AttachAsync(HttpContext context, string[] target)
    {
        var streams = Streams.Parse(context.Request.Query);
        var request = new AttachRequest
        {
            ContainerId = Container(target),
            Tty = streams.Tty,
            Stdin = streams.Stdin,
            Stdout = streams.Stdout,
            Stderr = streams.Stderr,
        };
        RequireUpgrade(context);
        var response = await runtime.AttachAsync(request, context.RequestAborted).ConfigureAwait(false);
        await SessionAsync(context, response.Url, streams).ConfigureAwait(false);
    }

    /// <param name="context">The request.</param>
    /// <param name="target">Behind the verb: namespace, pod, a UID where given.</param>
    public async Task PortForwardAsync(HttpContext context, string[] target)
    {
        var pod = lookup.Pod(target[0], target[1], target.Length == 3 ? target[2] : null);
        var request = new PortForwardRequest { PodSandboxId = lookup.Sandbox(pod) };
        request.Port.AddRange(Ports(context.Request.Query));
        RequireUpgrade(context);
        var response = await runtime.PortForwardAsync(request, context.RequestAborted).ConfigureAwait(false);
        await (Translator(context) is { } translate
            ? translate.PortForwardAsync(context, Target(response.Url), [.. request.Port], context.RequestAborted)
            : proxy.ProxyAsync(context, Target(response.Url), null, null, context.RequestAborted)).ConfigureAwait(false);
    }

    public async Task RunAsync(HttpContext context, string[] target)
    {
        // The older parameter takes the command as one text, split at blanks.
        var query = context.Request.Query;
        var command = query["cmd"].ToString() is { Length: > 0 } text
            ? text.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            : Command(query);
        var request = new ExecSyncRequest { ContainerId = Container(target) };
        request.Cmd.AddRange(command);
        var response = await runtime.ExecSyncAsync(request, context.RequestAborted).ConfigureAwait(false);
        context.Response.StatusCode = response.ExitCode == 0 ? 200 : 500;
        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.Body.WriteAsync(response.Stdout.Memory, context.RequestAborted).ConfigureAwait(false);
        await context.Response.Body.WriteAsync(response.Stderr.Memory, context.RequestAborted).ConfigureAwait(false);
        if (response.ExitCode != 0)
        {
            await context.Response.WriteAsync($"command '{string.Join(' ', command)}' exited with {response.ExitCode}\n", context.RequestAborted).ConfigureAwait(false);
        }
    }

    private static string[] Command(IQueryCollection query)
    {
        string[] command = [.. query["command"].Select(word => word ?? "")];
        return command.Length > 0 ? command : throw KubeletRequestException.BadRequest("you must specify a command");
    }

    private static IEnumerable<int> Ports(IQueryCollection query)
    {
        foreach (var text in query["port"].SelectMany(p => (p ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries)))
        {
            yield return int.TryParse(text, out var port) && port is > 0 and < 65536
                ? port
                : throw KubeletRequestException.BadRequest($"unable to parse \"{text}\" as a port");
        }
    }

    private static void RequireUpgrade(HttpContext context)
    {
        // Before the runtime is asked: an unused URL would wait there for a client that cannot come.
        if (!UpgradeProxy.IsUpgradeRequest(context.Request))
        {
            throw KubeletRequestException.BadRequest("Upgrade request required");
        }
    }

    private string Container(string[] target)
    {
        var pod = lookup.Pod(target[0], target[1], target.Length == 4 ? target[2] : null);
        return lookup.Running(pod, target[^1]).Id;
    }

    private Task SessionAsync(HttpContext context, string url, Streams streams) => Translator(context) is { } translate
        ? translate.RemoteCommandAsync(
            context, Target(url), new SessionStreamSet(streams.Tty, streams.Stdin, streams.Stdout, streams.Stderr), context.RequestAborted)
        : proxy.ProxyAsync(context, Target(url), null, null, context.RequestAborted);

    // SPDY clients are tunnelled: every runtime speaks it.
    private StreamTranslator? Translator(HttpContext context) => StreamTranslator.IsWebSocketRequest(context.Request) ? translator : null;

    private static Uri Target(string url) => Uri.TryCreate(url, UriKind.Absolute, out var target) && target.Scheme is "http" or "https"
        ? target
        : throw new KubeletRequestException(500, $"the runtime's streaming URL \"{url}\" is not absolute\n");

    /// <summary>Which streams are asked for: the query names of upstream's kubelet.</summary>
    private readonly record struct Streams(bool Tty, bool Stdin, bool Stdout, bool Stderr)
    {
        public static Streams Parse(IQueryCollection query)
        {
            var tty = Flag("tty");
            var streams = new Streams(tty, Flag("input"), Flag("output"), Flag("error") && !tty); // a terminal has one output
            return streams.Stdin || streams.Stdout || streams.Stderr
                ? streams
                : throw KubeletRequestException.BadRequest("you must specify at least 1 of stdin, stdout, stderr");

            bool Flag(string name) => query[name].ToString() is "1" or "true";
        }
    }
}
