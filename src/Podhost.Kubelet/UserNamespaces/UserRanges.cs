namespace Podhost.Kubelet.UserNamespaces;

/// <summary>Users of the machine that pods with users of their own may stand for.</summary>
/// <param name="First">The first; a multiple of the ids of a pod, and never root's.</param>
/// <param name="Length">How many, in whole pods.</param>
public readonly record struct UserRange(uint First, uint Length)
{
    /// <summary>Ids of a pod: all that an ordinary image knows (upstream's default of userNamespaces.idsPerPod). Another number is a multiple of it.</summary>
    public const uint PerPod = 65536;

    /// <summary>All but those that the machine itself may use, in whole pods (upstream's default where the machine has no user kubelet).</summary>
    /// <param name="idsPerPod">Ids of a pod.</param>
    public static UserRange Default(uint idsPerPod = PerPod) => new(idsPerPod, (uint)(((1UL << 32) / idsPerPod) - 1) * idsPerPod);
}

/// <summary>Which users of the machine are pods': upstream's GetKubeletMappings. Pure.</summary>
public static class UserRanges
{
    private const string User = "kubelet";

    /// <summary>Reads the machine's files.</summary>
    /// <param name="idsPerPod">Ids of a pod.</param>
    /// <exception cref="InvalidDataException">What is set aside for the user kubelet cannot be used.</exception>
    public static UserRange Read(uint idsPerPod) => Of(Text("/etc/passwd"), Text("/etc/subuid"), Text("/etc/subgid"), idsPerPod);

    /// <summary>The range that is set aside for the user kubelet; the default where there is no such user, or nothing is set aside anywhere.</summary>
    /// <param name="passwd">/etc/passwd.</param>
    /// <param name="subuid">/etc/subuid: <c>user:first:length</c>.</param>
    /// <param name="subgid">/etc/subgid.</param>
    /// <param name="idsPerPod">Ids of a pod.</param>
    /// <exception cref="InvalidDataException">Users and groups differ, there is not exactly one range, or it does not hold whole pods.</exception>
    public static UserRange Of(string passwd, string subuid, string subgid, uint idsPerPod = UserRange.PerPod)
    {
        if (!Lines(passwd).Any(line => line.StartsWith(User + ":", StringComparison.Ordinal)) || (subuid.Length == 0 && subgid.Length == 0))
        {
            return UserRange.Default(idsPerPod);
        }

        var (uids, gids) = (Ranges(subuid), Ranges(subgid));
        if (!uids.SequenceEqual(gids))
        {
            throw new InvalidDataException("/etc/subuid and /etc/subgid set aside different ids for the user kubelet");
        }

        return uids is [var range] ? Check(range, idsPerPod) : throw new InvalidDataException($"/etc/subuid has {uids.Count} ranges for the user kubelet, one is needed");
    }

    private static UserRange Check(UserRange range, uint idsPerPod)
    {
        var (first, length) = range;
        return first < idsPerPod || first % UserRange.PerPod != 0 || length == 0 || length % idsPerPod != 0 || (ulong)first + length > 1UL << 32
            ? throw new InvalidDataException(
                $"/etc/subuid: {first}:{length} of the user kubelet: the first must be a multiple of {UserRange.PerPod} and at least {idsPerPod}, the length a multiple of {idsPerPod}")
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
