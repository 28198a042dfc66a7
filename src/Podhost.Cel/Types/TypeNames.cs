namespace Podhost.Cel.Types;

/// <summary>Types that have a name in expressions.</summary>
internal static class TypeNames
{
    private static readonly Dictionary<string, CelType> All = new CelType[]
    {
        CelType.Bool, CelType.Int, CelType.Uint, CelType.Double, CelType.String, CelType.Bytes, CelType.Null, CelType.Timestamp, CelType.Duration,
        CelType.Type, CelType.List(CelType.Dyn), CelType.Map(CelType.Dyn, CelType.Dyn), CelType.Optional(CelType.Dyn),
        LibraryTypes.Quantity, LibraryTypes.Url, LibraryTypes.Ip, LibraryTypes.Cidr, LibraryTypes.Semver, LibraryTypes.Format, LibraryTypes.Authorizer,
        LibraryTypes.PathCheck, LibraryTypes.GroupCheck, LibraryTypes.ResourceCheck, LibraryTypes.Decision,
    }.ToDictionary(t => t.Name, StringComparer.Ordinal);

    /// <summary>The type of a name, or null.</summary>
    public static CelType? Find(string name) => All.GetValueOrDefault(name);
}
