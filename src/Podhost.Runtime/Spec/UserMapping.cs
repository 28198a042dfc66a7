using System.Text.Json.Nodes;
using Google.Protobuf.Collections;
using Grpc.Core;
using Podhost.Cri.V1;

namespace Podhost.Runtime.Spec;

/// <summary>A range of ids of a pod, from 0, and the range of the machine's ids that it stands for.</summary>
/// <param name="HostId">What id 0 of the pod is on the machine.</param>
/// <param name="Length">How many ids the pod has.</param>
internal readonly record struct IdRange(uint HostId, uint Length)
{
    /// <summary>The range as OCI's configuration has it.</summary>
    internal JsonArray ToJson() => new(new JsonObject { ["containerID"] = 0, ["hostID"] = HostId, ["size"] = Length });
}

/// <summary>The users and groups of a pod with a user namespace of its own. Pure.</summary>
internal sealed record UserMapping(IdRange Uids, IdRange Gids)
{
    /// <summary>The mapping that is asked for; null for the machine's own users. InvalidArgument for one that containerd and CRI-O would not take.</summary>
    /// <param name="options">CRI: userns_options; without it the mode is NODE.</param>
    internal static UserMapping? Of(UserNamespace? options) => options?.Mode switch
    {
        null or NamespaceMode.Node => null,
        NamespaceMode.Pod => new UserMapping(Range("uids", options.Uids), Range("gids", options.Gids)),
        _ => throw Invalid($"userns_options.mode: POD or NODE, not {options.Mode}"),
    };

    /// <summary>The mapping of a mount; null where its owners are not mapped.</summary>
    internal static UserMapping? Of(Mount mount) => mount.UidMappings.Count == 0 && mount.GidMappings.Count == 0
        ? null
        : new UserMapping(Range("uidMappings", mount.UidMappings), Range("gidMappings", mount.GidMappings));

    private static IdRange Range(string field, RepeatedField<IDMapping> asked) => asked switch
    {
        not [_] => throw Invalid($"{field}: one range is needed, not {asked.Count}"),
        [{ ContainerId: not 0 }] => throw Invalid($"{field}: container id 0 must be mapped"),
        [{ HostId: 0 }] => throw Invalid($"{field}: root of the machine cannot be mapped"),
        [{ Length: 0 }] => throw Invalid($"{field}: the range is empty"),
        [var range] when (ulong)range.HostId + range.Length > uint.MaxValue => throw Invalid($"{field}: the range is too long"),
        [var range] => new IdRange(range.HostId, range.Length),
    };

    private static RpcException Invalid(string message) => new(new Status(StatusCode.InvalidArgument, message));
}
