using Podhost.Api.Resources;
using Podhost.Api.Selectors;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.Registry.Custom;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Routes.Handlers;

/// <summary>
/// A watch of a kind whose versions a webhook converts. Fields are selected here, after the conversion, because the cache knows the stored
/// version only.
/// </summary>
/// <param name="conversions">Converts.</param>
/// <param name="resource">The version that is watched.</param>
/// <param name="fields">The field selector, or null.</param>
internal sealed class ConvertedWatch(Conversions conversions, ResourceInfo resource, FieldSelector? fields)
{
    private readonly HashSet<string> _selected = new(StringComparer.Ordinal);
    private readonly Func<CachedObject, string, string?> _fieldOf = SelectableFieldRules.Reader(resource);

    /// <summary>The watch of a resource; null where nothing has to be converted.</summary>
    public static ConvertedWatch? For(Conversions conversions, ResourceInfo resource, ListQuery query) =>
        resource.Custom?.ConversionWebhook is null ? null : new ConvertedWatch(conversions, resource, query.Fields);

    /// <summary>Learns which objects are selected at the start.</summary>
    public async ValueTask BeginAsync(IEnumerable<CachedObject> objects, CancellationToken cancellationToken)
    {
        if (fields is null)
        {
            return;
        }

        var all = objects.ToList();
        await conversions.PrepareAsync(resource, all, cancellationToken);
        _selected.UnionWith(all.Where(IsSelected).Select(o => o.Key));
    }

    /// <summary>An event as the client sees it, ready to be shown; null where it sees nothing.</summary>
    public async ValueTask<WatchItem?> ShowAsync(WatchItem item, CancellationToken cancellationToken)
    {
        if (item.Object is not { } obj)
        {
            return item;
        }

        await conversions.PrepareAsync(resource, [obj], cancellationToken);
        if (fields is null)
        {
            return item;
        }

        var (before, now) = (_selected.Contains(obj.Key), item.Type != CacheEventType.Deleted && IsSelected(obj));
        if (now)
        {
            _selected.Add(obj.Key);
            return before ? item : item with { Type = CacheEventType.Added };
        }

        _selected.Remove(obj.Key);
        return before ? item with { Type = CacheEventType.Deleted } : null;
    }

    private bool IsSelected(CachedObject obj) => fields!.Matches(field => _fieldOf(obj, field));
}
