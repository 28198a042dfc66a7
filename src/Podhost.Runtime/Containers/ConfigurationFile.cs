using System.Text.Json.Nodes;
using Podhost.Cri.V1;
using Podhost.Runtime.Spec;

namespace Podhost.Runtime.Containers;

/// <summary>The OCI configuration of a container that exists.</summary>
internal static class ConfigurationFile
{
    private const string Name = "config.json";

    internal static JsonObject Read(string bundle) =>
        JsonNode.Parse(File.ReadAllBytes(Path.Combine(bundle, Name)))?.AsObject() ?? throw new IOException($"{bundle}/{Name} is empty");

    /// <summary>Changes the limits of a container that has not started.</summary>
    internal static void ReplaceResources(string bundle, LinuxContainerResources resources, HostFacts host)
    {
        var configuration = Read(bundle);
        var linux = configuration["linux"]!.AsObject();
        var updated = LinuxSpec.Limits(resources, host);
        updated["devices"] = linux["resources"]?["devices"]?.DeepClone();
        linux["resources"] = updated;
        var path = Path.Combine(bundle, Name);
        File.WriteAllText(path + ".new", configuration.ToJsonString());
        File.Move(path + ".new", path, overwrite: true);
    }
}
