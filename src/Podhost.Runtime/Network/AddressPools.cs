using System.Net;

namespace Podhost.Runtime.Network;

/// <summary>
/// The pools of the node's ranges, one a family: a pod has an address of each. What an earlier run gave of a family that has no range any more
/// stays its owner's until that ends.
/// </summary>
internal sealed class AddressPools
{
    private readonly List<AddressPool> _pools;
    private readonly IReservationFiles _files;
    private readonly Lock _lock = new();
    private readonly List<(string Address, string Owner)> _others;

    internal AddressPools(IReadOnlyList<IPNetwork> ranges, IReservationFiles files)
    {
        _files = files;
        _pools = [.. ranges.Select(range => new AddressPool(range, files))];
        _others = [.. files.Load().Where(held => !ranges.Any(range => range.BaseAddress.AddressFamily == IPAddress.Parse(held.Address).AddressFamily))];
    }

    /// <summary>The node's own address in each range.</summary>
    internal IReadOnlyList<IPAddress> Gateways => [.. _pools.Select(pool => pool.Gateway)];

    internal IReadOnlyList<string> Owners()
    {
        lock (_lock)
        {
            return [.. _pools.SelectMany(pool => pool.Owners()).Concat(_others.Select(held => held.Owner)).Distinct()];
        }
    }

    /// <summary>An address of each range for an owner. Throws <see cref="IOException"/> when one has none free; what was reserved stays until the release.</summary>
    internal IReadOnlyList<IPAddress> Reserve(string owner) => [.. _pools.Select(pool => pool.Reserve(owner))];

    /// <summary>Gives back what an owner has. Idempotent.</summary>
    internal void Release(string owner)
    {
        _pools.ForEach(pool => pool.Release(owner));
        lock (_lock)
        {
            foreach (var held in _others.Where(held => held.Owner == owner).ToList())
            {
                _files.Delete(held.Address);
                _others.Remove(held);
            }
        }
    }
}
