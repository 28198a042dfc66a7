using System.Text.Json.Nodes;
using Grpc.Core;
using Podhost.Cri.V1;

namespace Podhost.Runtime.Spec;

/// <summary>The process part of the OCI configuration. Pure.</summary>
internal static class ProcessSpec
{
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    internal static JsonObject Build(SpecInput input)
    {
        var context = input.Config.Linux?.SecurityContext;
        var process = new JsonObject
        {
            ["terminal"] = input.Config.Tty,
            ["user"] = new JsonObject
            {
                ["uid"] = input.User.Uid,
                ["gid"] = input.User.Gid,
                ["additionalGids"] = new JsonArray([.. input.User.Groups.Select(id => (JsonNode)id)]),
            },
            ["args"] = SpecBuilder.Strings(Arguments(input)),
            ["env"] = SpecBuilder.Strings(Environment(input)),
            ["cwd"] = WorkingDirectory(input),
            ["capabilities"] = CapabilitySets(context, input.Host.Capabilities),
            ["rlimits"] = OpenFileLimit(input.Host.MaxOpenFiles),
            ["noNewPrivileges"] = context?.NoNewPrivs ?? false,
            ["oomScoreAdj"] = Math.Max(input.Config.Linux?.Resources?.OomScoreAdj ?? 0, input.Host.MinOomScoreAdjust),
        };
        if (AppArmorProfiles.Choose(context, input.Host.HasAppArmor, input.Host.DefaultAppArmorProfile) is { } profile)
        {
            process["apparmorProfile"] = profile;
        }

        return process;
    }

    /// <summary>
    /// Command and arguments as Kubernetes documents them: a given command replaces the image's entrypoint and its default arguments
    /// too; given arguments alone replace the image's arguments.
    /// </summary>
    internal static IReadOnlyList<string> Arguments(SpecInput input)
    {
        var (config, image) = (input.Config, input.Image);
        var command = config.Command.Count > 0 ? config.Command.ToList() : [.. image.Entrypoint];
        var args = config.Args.Count > 0 ? config.Args : config.Command.Count > 0 ? [] : image.Cmd.AsEnumerable();
        command.AddRange(args);
        return command.Count > 0
            ? command
            : throw new RpcException(new Status(StatusCode.InvalidArgument, $"container {config.Metadata.Name}: no command: neither the request nor the image has one"));
    }

    // Later entries win, at the place of the first: programs that look for the first or the last agree.
    private static List<string> Environment(SpecInput input)
    {
        var order = new List<string>();
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        Set(order, values, "PATH", DefaultPath);
        if (input.Sandbox.Hostname.Length > 0)
        {
            Set(order, values, "HOSTNAME", input.Sandbox.Hostname);
        }

        if (input.Config.Tty)
        {
            Set(order, values, "TERM", "xterm");
        }

        foreach (var entry in input.Image.Env)
        {
            var equals = entry.IndexOf('=', StringComparison.Ordinal);
            Set(order, values, equals < 0 ? entry : entry[..equals], equals < 0 ? string.Empty : entry[(equals + 1)..]);
        }

        foreach (var entry in input.Config.Envs)
        {
            Set(order, values, entry.Key, entry.Value);
        }

        return [.. order.Select(name => $"{name}={values[name]}")];
    }

    private static void Set(List<string> order, Dictionary<string, string> values, string name, string value)
    {
        if (!values.ContainsKey(name))
        {
            order.Add(name);
        }

        values[name] = value;
    }

    private static string WorkingDirectory(SpecInput input)
    {
        var directory = input.Config.WorkingDir.Length > 0 ? input.Config.WorkingDir : input.Image.WorkingDir;
        return directory.Length == 0 ? "/" : directory.StartsWith('/') ? directory : "/" + directory;
    }

    private static JsonObject CapabilitySets(LinuxContainerSecurityContext? context, ulong available)
    {
        var set = Capabilities.Choose(context?.Capabilities, context?.Privileged ?? false, available);
        var sets = new JsonObject
        {
            ["bounding"] = SpecBuilder.Strings(set),
            ["effective"] = SpecBuilder.Strings(set),
            ["permitted"] = SpecBuilder.Strings(set),
        };
        if (Capabilities.Ambient(context?.Capabilities) is { Count: > 0 } ambient)
        {
            sets["inheritable"] = SpecBuilder.Strings(ambient);
            sets["ambient"] = SpecBuilder.Strings(ambient);
        }

        return sets;
    }

    private static JsonArray OpenFileLimit(ulong limit) =>
        new(new JsonObject { ["type"] = "RLIMIT_NOFILE", ["hard"] = limit, ["soft"] = limit });
}
