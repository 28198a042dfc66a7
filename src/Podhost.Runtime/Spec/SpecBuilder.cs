using System.Text.Json.Nodes;
using Grpc.Core;
using Podhost.Cri.V1;

namespace Podhost.Runtime.Spec;

/// <summary>
/// The OCI configuration of a container (https://github.com/opencontainers/runtime-spec/blob/main/config.md) from what CRI and the
/// image ask for. Pure: the same input gives the same text.
/// </summary>
internal static class SpecBuilder
{
    private const string SpecVersion = "1.0.2";

    /// <summary>Makes the configuration; throws <see cref="RpcException"/> InvalidArgument for what cannot be.</summary>
    internal static JsonObject Build(SpecInput input)
    {
        var context = input.Config.Linux?.SecurityContext;
        return new JsonObject
        {
            ["ociVersion"] = SpecVersion,
            ["process"] = ProcessSpec.Build(input),
            ["root"] = new JsonObject { ["path"] = input.RootfsPath, ["readonly"] = context?.ReadonlyRootfs ?? false },
            ["mounts"] = MountSpec.Build(input),
            ["annotations"] = Annotations(input),
            ["linux"] = LinuxSpec.Build(input),
        };
    }

    internal static JsonArray Strings(IEnumerable<string> values) => new([.. values.Select(value => (JsonNode)value)]);

    private static JsonObject Annotations(SpecInput input)
    {
        var metadata = input.Sandbox.Metadata;
        return new JsonObject
        {
            ["io.kubernetes.cri.container-type"] = "container",
            ["io.kubernetes.cri.container-name"] = input.Config.Metadata.Name,
            ["io.kubernetes.cri.sandbox-id"] = input.SandboxId,
            ["io.kubernetes.cri.sandbox-name"] = metadata.Name,
            ["io.kubernetes.cri.sandbox-namespace"] = metadata.Namespace,
            ["io.kubernetes.cri.sandbox-uid"] = metadata.Uid,
        };
    }
}
