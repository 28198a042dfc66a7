using Podhost.Api.Quantities;

namespace Podhost.ApiServer.Admission.Quota;

/// <summary>The writes that quotas have let through and that the caches may not show yet. Guarded by its own lock.</summary>
internal sealed class Reservations
{
    private readonly Dictionary<AdmissionRequest, Reservation> _open = new(ReferenceEqualityComparer.Instance);

    public Lock Gate { get; } = new();

    /// <summary>The writes that have been committed by now: whoever catches up with the store afterwards sees them.</summary>
    public AdmissionRequest[] Committed()
    {
        lock (Gate)
        {
            return [.. _open.Where(r => r.Value.IsCommitted).Select(r => r.Key)];
        }
    }

    /// <summary>All that are open but one request's own. Under the lock.</summary>
    public IEnumerable<Reservation> Others(AdmissionRequest request) => _open.Where(r => r.Key != request).Select(r => r.Value);

    /// <summary>Holds what a request asks for. Under the lock.</summary>
    public void Hold(AdmissionRequest request, Reservation reservation) => _open[request] = reservation;

    /// <summary>Forgets writes that the caches show. Under the lock.</summary>
    public void Forget(IEnumerable<AdmissionRequest> requests)
    {
        foreach (var request in requests)
        {
            _open.Remove(request);
        }
    }

    /// <summary>Tells the outcome of a write.</summary>
    public void Complete(AdmissionRequest request, bool committed)
    {
        lock (Gate)
        {
            if (!committed)
            {
                _open.Remove(request);
            }
            else if (_open.TryGetValue(request, out var reservation))
            {
                reservation.IsCommitted = true;
            }
        }
    }
}

/// <summary>One write that has been let through.</summary>
/// <param name="quotas">Uids of the quotas that count it.</param>
/// <param name="uid">metadata.uid of its object.</param>
/// <param name="from">resourceVersion that it changes; empty for a create.</param>
/// <param name="delta">What it adds.</param>
internal sealed class Reservation(IReadOnlySet<string> quotas, string uid, string from, IReadOnlyDictionary<string, Quantity> delta)
{
    public bool IsCommitted { get; set; }

    public IReadOnlyDictionary<string, Quantity> Delta => delta;

    /// <summary>True where a quota counts it and a snapshot of the objects does not show it yet.</summary>
    /// <param name="quota">Uid of the quota.</param>
    /// <param name="versions">resourceVersion by uid of the objects of the snapshot.</param>
    public bool AddsTo(string quota, IReadOnlyDictionary<string, string> versions) =>
        quotas.Contains(quota) && (versions.TryGetValue(uid, out var version) ? version == from : from.Length == 0);
}
