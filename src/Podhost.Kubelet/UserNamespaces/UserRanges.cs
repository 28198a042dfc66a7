namespace Podhost.Kubelet.UserNamespaces;

/// <summary>Users of the machine that pods with users of their own may stand for.</summary>
/// <param name="First">The first; a multiple of the ids of a pod, and never root's.</param>
/// <param name="Length">How many, in whole pods.</param>
public readonly record struct UserRange(uint First, uint Length)
{
    /// <summary>Ids of a pod: all that an ordinary image knows (upstream's default of userNamespaces.idsPerPod).</summary>
    public const uint PerPod = 65536;

    /// <summary>All but those that the machine itself may use (upstream's default where the machine has no user kubelet).</summary>
    public static UserRange Default { get; } = new(PerPod, unchecked(0 - PerPod));
}

/// <summary>Which users of the machine are pods': upstream's GetKubeletMappings. Pure.</summary>
public static class UserRanges
{
    private const string User = "kubelet";

    /// <summary>Reads the machine's files.</summary>
    /// <exception cref="InvalidDataException">What is set aside for the user kubelet cannot be used.</exception>
    public static UserRange Read() => Of(Text("/etc/passwd"), Text("/etc/subuid"), Text("/etc/subgid"));

    /// <summary>The range that is set aside for the user kubelet; the default where there is no such user, or nothing is set aside anywhere.</summary>
    /// <param name="passwd">/etc/passwd.</param>
    /// <param name="subuid">/etc/subuid: <c>user:first:length</c>.</param>
    /// <param name="subgid">/etc/subgid.</param>
    /// <exception cref="InvalidDataException">Users and groups differ, there is not exactly one range, or it does not hold whole pods.</exception>
    public static UserRange Of(string passwd, string subuid, string subgid)
    {
        if (!Lines(passwd).Any(line => line.StartsWith(User + ":", StringComparison.Ordinal)) || (subuid.Length == 0 && subgid.Length == 0))
        {
            return UserRange.Default;
        }

        var (uids, gids) = (Ranges(subuid), Ranges(subgid));
        if (!uids.SequenceEqual(gids))
        {
            throw new InvalidDataException("/etc/subuid and /etc/subgid set aside different ids for the user kubelet");
        }

        return uids is [var range] ? Check(range) : throw new InvalidDataException($"/etc/subuid has {uids.Count} ranges for the user kubelet, one is needed");
    }

    private static UserRange Check(UserRange range)
    {
        var (first, length) = range;
        return first < UserRange.PerPod || first % UserRange.PerPod != 0 || length == 0 || length % UserRange.PerPod != 0 || (ulong)first + length > 1UL << 32
            ? throw new InvalidDataException($"/etc/subuid: {first}:{length} of the user kubelet: both must be multiples of {UserRange.PerPod}, and not 0")
            : range;
    }

    private static List<UserRange> Ranges(string text) =>
    [
        .. Lines(text).Select(line => line.Split(':')).Where(fields => fields is [User, _, _]).Select(fields =>
            uint.TryParse(fields[1], out var first) && uint.TryParse(fields[2], out var length)
                ? new UserRange(first, length)
                : throw new InvalidDataException($"/etc/subuid: {string.Join(':', fields)} is no range")),
    ];

    private static IEnumerable<string> Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static string Text(string file) => File.Exists(file) ? File.ReadAllText(file) : "";
}
