using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Podhost.Runtime.Network;

/// <summary>Names of reserved addresses and their owners, each kept or not, never half.</summary>
internal interface IReservationFiles
{
    IReadOnlyList<(string Address, string Owner)> Load();

    void Create(string address, string owner);

    void Delete(string address);
}

/// <summary>
/// Hands out addresses of a range, each to one owner at a time. A reservation is on disk before the address is used and leaves it
/// after the use has ended, so that no crash makes two owners. Addresses go round the range: one given back rests before it is used again.
/// </summary>
internal sealed class AddressPool
{
    private readonly Lock _lock = new();
    private readonly IReservationFiles _files;
    private readonly Dictionary<UInt128, string> _owners = [];
    private readonly AddressFamily _family;
    private readonly UInt128 _first;
    private readonly UInt128 _last;
    private UInt128 _next;

    internal AddressPool(IPNetwork range, IReservationFiles files)
    {
        _family = range.BaseAddress.AddressFamily;
        var start = Value(range.BaseAddress);
        var free = (_family == AddressFamily.InterNetworkV6 ? 128 : 32) - range.PrefixLength;
        var size = free is < 2 or > 127 ? throw new ArgumentException($"the pod range {range} has no room") : UInt128.One << free;
        (_files, Gateway, _first, _last) = (files, Address(start + 1), start + 2, start + size - 2);
        foreach (var (address, owner) in files.Load())
        {
            if (IPAddress.Parse(address) is var held && held.AddressFamily == _family)
            {
                _owners[Value(held)] = owner;
            }
        }

        _next = _owners.Keys.Where(InRange).DefaultIfEmpty(_first - 1).Max() + 1;
    }

    /// <summary>The node's own address in the range.</summary>
    internal IPAddress Gateway { get; }

    internal IReadOnlyList<string> Owners()
    {
        lock (_lock)
        {
            return [.. _owners.Values.Distinct()];
        }
    }

    /// <summary>An address for an owner: the one that it has, or a free one. Throws <see cref="IOException"/> when none is free.</summary>
    internal IPAddress Reserve(string owner)
    {
        lock (_lock)
        {
            foreach (var (held, by) in _owners)
            {
                if (by == owner)
                {
                    return Address(held);
                }
            }

            var free = FindFree() ?? throw new IOException($"no free pod address in {Address(_first)}–{Address(_last)}");
            _files.Create(Address(free).ToString(), owner);
            _owners[free] = owner;
            _next = free + 1;
            return Address(free);
        }
    }

    /// <summary>Gives back what an owner has. Idempotent.</summary>
    internal void Release(string owner)
    {
        lock (_lock)
        {
            foreach (var held in _owners.Where(pair => pair.Value == owner).Select(pair => pair.Key).ToList())
            {
                _files.Delete(Address(held).ToString());
                _owners.Remove(held);
            }
        }
    }

    private static UInt128 Value(IPAddress address) => address.GetAddressBytes() is { Length: 16 } wide
        ? BinaryPrimitives.ReadUInt128BigEndian(wide)
        : BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes());

    private IPAddress Address(UInt128 value)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, value);
        return new IPAddress(_family == AddressFamily.InterNetworkV6 ? bytes : bytes[12..]);
    }

    private bool InRange(UInt128 value) => value >= _first && value <= _last;

    private UInt128? FindFree()
    {
        var candidate = InRange(_next) ? _next : _first;
        for (var tried = UInt128.Zero; tried <= _last - _first; tried++)
        {
            if (!_owners.ContainsKey(candidate))
            {
                return candidate;
            }

            candidate = candidate == _last ? _first : candidate + 1;
        }

        return null;
    }
}

/// <summary>A file named by each address, with its owner's id inside; it appears whole by a rename.</summary>
internal sealed class ReservationDirectory(string directory) : IReservationFiles
{
    private const string Unfinished = ".new";

    public IReadOnlyList<(string Address, string Owner)> Load()
    {
        var found = new List<(string, string)>();
        foreach (var file in Directory.EnumerateFiles(directory).ToList())
        {
            if (IPAddress.TryParse(Path.GetFileName(file), out _))
            {
                found.Add((Path.GetFileName(file), File.ReadAllText(file)));
            }
            else
            {
                File.Delete(file);
            }
        }

        return found;
    }

    public void Create(string address, string owner)
    {
        var path = Path.Combine(directory, address);
        File.WriteAllText(path + Unfinished, owner);
        File.Move(path + Unfinished, path);
    }

    public void Delete(string address) => File.Delete(Path.Combine(directory, address));
}
