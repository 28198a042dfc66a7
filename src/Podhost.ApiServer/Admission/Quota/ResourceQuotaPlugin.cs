using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Quantities;
using Podhost.Api.Quota;
using Podhost.Api.Resources;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Admission.Quota;

/// <summary>
/// Refuses what a ResourceQuota of the namespace leaves no room for. The room is measured, not kept in books: what the objects of the caches use, and what
/// writes that are under way will use. So parallel creates cannot exceed a quota together, and nothing has to be given back after a failure or a crash.
/// Source of rules and words: upstream's ResourceQuota plugin.
/// </summary>
/// <remarks>The measure is exact while one API server writes to the store. status.used is the controller's to tell.</remarks>
public sealed class ResourceQuotaPlugin(TimeProvider time) : IAdmissionPlugin
{
    private static readonly ResourceInfo Quotas = ResourceTable.For<V1ResourceQuota>();
    private static readonly ResourceInfo Pods = ResourceTable.For<V1Pod>();
    private readonly Reservations _reservations = new();

    /// <inheritdoc />
    public string Name => "ResourceQuota";

    /// <inheritdoc />
    public bool Handles(AdmissionRequest request) => request.Namespace.Length > 0 && request.Resource.Namespaced && !request.Resource.IsVirtual
        && (request.Operation, request.Subresource) switch
        {
            (AdmissionOperation.Create, "") => request.Resource.Plural != "events",
            (AdmissionOperation.Update, "") => request.Resource is { Group: "", Plural: "services" or "persistentvolumeclaims" },
            (AdmissionOperation.Update, "resize") => request.Resource == Pods,
            _ => false,
        };

    /// <inheritdoc />
    public async ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        var quotas = request.Objects.List(Quotas, request.Namespace).Select(q => ObjectCodec.ToModel<V1ResourceQuota>(q.Utf8.Span)).ToList();
        if (quotas.Count == 0)
        {
            return;
        }

        var now = time.GetUtcNow().UtcDateTime;
        var wanted = MeasuredObject.Of(request.Resource, request.Object!, "", now);
        var before = request.OldObject is null ? null : MeasuredObject.Of(request.Resource, request.OldObject, Meta.ResourceVersion(request.OldObject), now);
        var delta = before is null ? wanted.Usage : QuotaAmounts.Difference(wanted.Usage, before.Usage);
        var meant = quotas.Where(q => wanted.IsMeantBy(q) && (q.Spec?.Hard ?? new Dictionary<string, ResourceQuantity>()).Keys.Any(wanted.Usage.ContainsKey)).ToList();
        CheckDeclared(request, quotas.Where(wanted.IsMeantBy));
        if (meant.Count > 0 && delta.Values.Any(d => d.Sign > 0))
        {
            var reservation = new Reservation(meant.Select(q => q.Metadata.Uid).ToHashSet(StringComparer.Ordinal), wanted.Uid, before?.Version ?? "", delta);
            await ReserveAsync(request, meant, reservation, now, cancellationToken);
        }
    }

    private static void CheckDeclared(AdmissionRequest request, IEnumerable<V1ResourceQuota> quotas)
    {
        if (request.Resource != Pods)
        {
            return;
        }

        var pod = ObjectCodec.ToModel<V1Pod>(request.Object!);
        foreach (var quota in quotas)
        {
            if (PodQuota.Missing(pod, quota.Spec?.Hard?.Keys ?? []) is { } missing)
            {
                throw Refuse(request, $"failed quota: {quota.Metadata.Name}: {missing}");
            }
        }
    }

    private async ValueTask ReserveAsync(
        AdmissionRequest request, List<V1ResourceQuota> quotas, Reservation wanted, DateTime now, CancellationToken cancellationToken)
    {
        var seen = _reservations.Committed();
        await request.Objects.CatchUpAsync(cancellationToken);
        lock (_reservations.Gate)
        {
            _reservations.Forget(seen);
            var objects = request.Objects.List(request.Resource, request.Namespace).Select(o => MeasuredObject.Of(request.Resource, o, now)).ToList();
            var versions = objects.ToDictionary(o => o.Uid, o => o.Version, StringComparer.Ordinal);
            foreach (var quota in quotas.OrderBy(q => q.Metadata.Name, StringComparer.Ordinal))
            {
                var used = new Dictionary<string, Quantity>(StringComparer.Ordinal);
                foreach (var live in objects.Where(o => o.IsMeantBy(quota)))
                {
                    QuotaAmounts.Add(used, live.Usage);
                }

                foreach (var open in _reservations.Others(request).Where(r => r.AddsTo(quota.Metadata.Uid, versions)))
                {
                    QuotaAmounts.Add(used, open.Delta);
                }

                CheckRoom(request, quota, used, wanted.Delta);
            }

            if (!request.DryRun)
            {
                _reservations.Hold(request, wanted);
            }
        }

        request.OnCompleted(committed => _reservations.Complete(request, committed));
    }

    private static void CheckRoom(AdmissionRequest request, V1ResourceQuota quota, Dictionary<string, Quantity> used, IReadOnlyDictionary<string, Quantity> delta)
    {
        var exceeded = QuotaAmounts.Of(quota.Spec?.Hard)
            .Where(h => delta.TryGetValue(h.Key, out var more) && more.Sign > 0 && used.GetValueOrDefault(h.Key) + more > h.Value).ToList();
        if (exceeded.Count > 0)
        {
            Dictionary<string, Quantity> Mask(IReadOnlyDictionary<string, Quantity> amounts) => exceeded.ToDictionary(e => e.Key, e => amounts.GetValueOrDefault(e.Key));
            throw Refuse(request,
                $"exceeded quota: {quota.Metadata.Name}, requested: {QuotaAmounts.Print(Mask(delta))}, used: {QuotaAmounts.Print(Mask(used))}, limited: {QuotaAmounts.Print(exceeded)}");
        }
    }

    private static ApiException Refuse(AdmissionRequest request, string why) =>
        ApiException.Forbidden(request.Resource.Group, request.Resource.Plural, Meta.Name(request.Object!), why);
}
