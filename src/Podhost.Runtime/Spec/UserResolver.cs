using System.Globalization;
using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Linux.Native;

namespace Podhost.Runtime.Spec;

/// <summary>Who a container's process is.</summary>
/// <param name="Uid">User.</param>
/// <param name="Gid">Primary group.</param>
/// <param name="Groups">All groups, the primary one first: a process that lacks it there could give it up and get around a group's denial.</param>
internal sealed record ProcessUser(uint Uid, uint Gid, IReadOnlyList<uint> Groups);

/// <summary>
/// Finds the user of a container from the request, the image and the root file system's /etc/passwd and /etc/group, with the
/// precedence of CRI: run_as_user, run_as_username, the image's User.
/// </summary>
/// <param name="passwd">The text of /etc/passwd; empty when absent.</param>
/// <param name="group">The text of /etc/group; empty when absent.</param>
internal sealed class UserResolver(string passwd, string group)
{
    private const int MaxFileBytes = 4 << 20;
    private readonly IReadOnlyList<string[]> _users = Rows(passwd, 4);
    private readonly IReadOnlyList<string[]> _groups = Rows(group, 3);

    /// <summary>Reads the files of a root file system, which may link anywhere but are followed inside only.</summary>
    internal static UserResolver Read(string rootfs) => new(
        RootedFile.ReadText(rootfs, "/etc/passwd", MaxFileBytes) ?? string.Empty,
        RootedFile.ReadText(rootfs, "/etc/group", MaxFileBytes) ?? string.Empty);

    /// <summary>The user of a container.</summary>
    internal ProcessUser Resolve(LinuxContainerSecurityContext? context, string imageUser)
    {
        var (userText, groupText) = Requested(context, imageUser);
        var row = FindUser(userText);
        var uid = row is not null ? Number(row[2]) : Id(userText, "user");
        var gid = groupText.Length > 0 ? GroupId(groupText) : row is not null ? Number(row[3]) : 0;
        var groups = new List<uint> { gid };
        if (context?.SupplementalGroupsPolicy is null or SupplementalGroupsPolicy.Merge && row is not null)
        {
            groups.AddRange(_groups.Where(entry => entry.Length > 3 && entry[3].Split(',').Contains(row[0])).Select(entry => Number(entry[2])));
        }

        groups.AddRange((context?.SupplementalGroups ?? []).Select(value => checked((uint)value)));
        return new ProcessUser(uid, gid, [.. groups.Distinct()]);
    }

    private static (string User, string Group) Requested(LinuxContainerSecurityContext? context, string imageUser)
    {
        var parts = imageUser.Split(':', 2);
        var (user, group) = (parts[0], parts.Length > 1 ? parts[1] : string.Empty);
        if (context?.RunAsUser is { } id)
        {
            (user, group) = (Text(id.Value), string.Empty);
        }
        else if (context?.RunAsUsername is { Length: > 0 } name)
        {
            (user, group) = (name, string.Empty);
        }

        if (context?.RunAsGroup is { } gid)
        {
            // As CRI says. A kubelet names the image's user where a pod has none.
            group = context.RunAsUser is not null || context.RunAsUsername.Length > 0
                ? Text(gid.Value)
                : throw new RpcException(new Status(StatusCode.InvalidArgument, $"run_as_group {Text(gid.Value)}: only together with run_as_user or run_as_username"));
        }

        return (user.Length == 0 ? "0" : user, group);
    }

    private static uint Id(string text, string kind) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? id
            : throw new RpcException(new Status(StatusCode.InvalidArgument, $"unable to find {kind} {text}: no matching entries in the image's {(kind == "user" ? "passwd" : "group")} file"));

    private static List<string[]> Rows(string text, int fields) =>
        [.. text.Split('\n').Select(line => line.Trim().Split(':')).Where(row => row.Length >= fields && uint.TryParse(row[2], NumberStyles.None, CultureInfo.InvariantCulture, out _))];

    private static uint Number(string text) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0;

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    // A name first: an image may have a user whose name is a number.
    private string[]? FindUser(string user) => _users.FirstOrDefault(row => row[0] == user) ?? _users.FirstOrDefault(row => row[2] == user);

    private uint GroupId(string text) =>
        _groups.FirstOrDefault(row => row[0] == text) is { } row ? Number(row[2]) : Id(text, "group");
}
