using System.Text.Json.Nodes;

namespace Podhost.Runtime.Network.Cni;

/// <summary>Runs the plugins of a network in turn, each with what those before it gave (CNI specification, section 3).</summary>
/// <param name="plugins">The programs.</param>
internal sealed class CniChain(CniPlugins plugins)
{
    /// <summary>Connects; the result is the last plugin's.</summary>
    /// <exception cref="CniException">A plugin refused. Those before it are not undone here: DEL is the caller's.</exception>
    internal async Task<JsonObject> AddAsync(CniConfiguration network, CniTarget target, JsonObject capabilities, CancellationToken cancellationToken)
    {
        JsonObject? previous = null;
        foreach (var plugin in network.Plugins)
        {
            var request = Request(network, plugin, capabilities, previous);
            previous = await plugins.RunAsync("ADD", network.Name, request, target, cancellationToken) ?? previous;
        }

        return previous ?? throw new CniException($"network \"{network.Name}\": no plugin gave a result");
    }

    /// <summary>Sees whether what ADD made is still there.</summary>
    /// <exception cref="CniException">It is not.</exception>
    internal async Task CheckAsync(CniConfiguration network, CniTarget target, JsonObject capabilities, JsonObject previous, CancellationToken cancellationToken)
    {
        foreach (var plugin in network.Plugins)
        {
            await plugins.RunAsync("CHECK", network.Name, Request(network, plugin, capabilities, previous), target, cancellationToken);
        }
    }

    /// <summary>Disconnects, in reverse order. Plugins take what is half there or gone already.</summary>
    /// <exception cref="CniException">A plugin refused: to be tried again.</exception>
    internal async Task DeleteAsync(CniConfiguration network, CniTarget target, JsonObject capabilities, JsonObject? previous, CancellationToken cancellationToken)
    {
        foreach (var plugin in network.Plugins.Reverse())
        {
            await plugins.RunAsync("DEL", network.Name, Request(network, plugin, capabilities, previous), target, cancellationToken);
        }
    }

    /// <summary>Asks every plugin whether it could connect a pod now.</summary>
    /// <exception cref="CniException">One could not.</exception>
    internal async Task StatusAsync(CniConfiguration network, CancellationToken cancellationToken)
    {
        foreach (var plugin in network.Plugins)
        {
            await plugins.RunAsync("STATUS", network.Name, Request(network, plugin, [], null), null, cancellationToken);
        }
    }

    /// <summary>Tells every plugin which attachments there are: what it has for others goes.</summary>
    /// <exception cref="CniException">Plugins refused; all were asked.</exception>
    internal async Task CollectGarbageAsync(CniConfiguration network, IEnumerable<(string ContainerId, string InterfaceName)> valid, CancellationToken cancellationToken)
    {
        var attachments = new JsonArray([.. valid.Select(each => new JsonObject { ["containerID"] = each.ContainerId, ["ifname"] = each.InterfaceName })]);
        var failures = new List<string>();
        foreach (var plugin in network.Plugins)
        {
            var request = Request(network, plugin, [], null);
            request["cni.dev/valid-attachments"] = attachments.DeepClone();
            try
            {
                await plugins.RunAsync("GC", network.Name, request, null, cancellationToken);
            }
            catch (CniException failure)
            {
                failures.Add(failure.Message);
            }
        }

        if (failures.Count > 0)
        {
            throw new CniException(string.Join("; ", failures));
        }
    }

    /// <summary>A plugin's configuration with what the runtime adds. Pure.</summary>
    internal static JsonObject Request(CniConfiguration network, JsonObject plugin, JsonObject capabilities, JsonObject? previous)
    {
        var request = (JsonObject)plugin.DeepClone();
        request["cniVersion"] = network.Version;
        request["name"] = network.Name;
        var wanted = capabilities.Where(pair => CniConfiguration.Declares(plugin, pair.Key)).ToList();
        if (wanted.Count > 0)
        {
            request["runtimeConfig"] = new JsonObject(wanted.Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone())));
        }

        // What is for the runtime is not for the plugin.
        request.Remove("capabilities");
        if (previous is not null)
        {
            request["prevResult"] = previous.DeepClone();
        }

        return request;
    }
}
