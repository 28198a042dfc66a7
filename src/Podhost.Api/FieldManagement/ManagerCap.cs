namespace Podhost.Api.FieldManagement;

/// <summary>Bounds the number of updaters: the oldest are merged into one entry a version.</summary>
internal static class ManagerCap
{
    public const int MaxUpdaters = 10;
    private const string OldestName = "ancient-changes";

    public static ManagedFields Apply(ManagedFields managed)
    {
        var updaters = managed.Managers.Where(m => !m.Key.IsApplier).OrderBy(m => m.Value.Time)
            .ThenBy(m => m.Key.Manager, StringComparer.Ordinal).ToList();
        for (var i = 0; i < updaters.Count && managed.Managers.Count(m => !m.Key.IsApplier) > MaxUpdaters; i++)
        {
            var (key, state) = updaters[i];
            if (key.Manager == OldestName)
            {
                continue;
            }

            var bucket = ManagerKey.Updater(OldestName, state.ApiVersion, null);
            var old = managed.Managers.GetValueOrDefault(bucket);
            managed = managed.Without([key]).With(bucket, new ManagerState(
                old is null ? state.Set : old.Set.Union(state.Set),
                state.ApiVersion,
                old is null || old.Time < state.Time ? state.Time : old.Time));
        }

        return managed;
    }
}
