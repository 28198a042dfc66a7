namespace Podhost.Storage.Etcd;

/// <summary>What a server's version can do.</summary>
internal static class EtcdVersion
{
    private static readonly Version FixedIn34 = new(3, 4, 25);
    private static readonly Version FixedIn35 = new(3, 5, 8);

    /// <summary>True where the answer to a progress request comes after all changes up to its revision (etcd issue 15220).</summary>
    internal static bool HasOrderedProgress(string version) =>
        Version.TryParse(version.Split('-')[0], out var v) && v >= (v.Minor == 4 && v.Major == 3 ? FixedIn34 : FixedIn35);
}
