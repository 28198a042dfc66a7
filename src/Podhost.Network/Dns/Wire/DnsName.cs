using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Podhost.Network.Dns.Wire;

/// <summary>
/// A domain name in its uncompressed wire form. The case that it came in is kept, so that an answer repeats the question to the bit; names that
/// differ in case only are equal. Source: RFC 1035 3.1, RFC 4343.
/// </summary>
internal sealed class DnsName : IEquatable<DnsName>
{
    /// <summary>Most bytes of a name, length bytes and the root's included.</summary>
    public const int MaxBytes = 255;

    /// <summary>Most bytes of a label.</summary>
    public const int MaxLabel = 63;

    private readonly byte[] _wire;
    private string[]? _labels;

    private DnsName(byte[] wire) => _wire = wire;

    /// <summary>The root.</summary>
    public static DnsName Root { get; } = new([0]);

    /// <summary>The wire form: labels with their lengths, ended by the root's zero.</summary>
    public ReadOnlySpan<byte> Wire => _wire;

    /// <summary>
    /// The labels in lower case, the leftmost first. Of a byte that no Kubernetes name has (a dot inside a label among them) something is made that
    /// no Kubernetes name has either.
    /// </summary>
    public IReadOnlyList<string> Labels => _labels ??= ReadLabels();

    /// <summary>A name from its whole wire form, which the caller has checked.</summary>
    public static DnsName FromWire(ReadOnlySpan<byte> wire) => new(wire.ToArray());

    /// <summary>A name from text, with or without the dot at its end; null where it is none.</summary>
    public static DnsName? Parse(string text)
    {
        var trimmed = text.EndsWith('.') ? text[..^1] : text;
        return trimmed.Length == 0 ? Root : FromLabels(trimmed.Split('.'));
    }

    /// <summary>A name from ASCII labels; null where one is empty or too long, or all are.</summary>
    public static DnsName? FromLabels(IEnumerable<string> labels)
    {
        var wire = new List<byte>();
        foreach (var label in labels)
        {
            if (label.Length is 0 or > MaxLabel || !Ascii.IsValid(label))
            {
                return null;
            }

            wire.Add((byte)label.Length);
            wire.AddRange(Encoding.ASCII.GetBytes(label));
        }

        wire.Add(0);
        return wire.Count > MaxBytes ? null : new DnsName([.. wire]);
    }

    /// <summary>The labels before a domain, where the name is the domain or below it.</summary>
    public bool IsWithin(IReadOnlyList<string> domain, [NotNullWhen(true)] out string[]? before)
    {
        var own = Labels;
        before = null;
        if (own.Count < domain.Count)
        {
            return false;
        }

        var start = own.Count - domain.Count;
        for (var i = 0; i < domain.Count; i++)
        {
            if (own[start + i] != domain[i])
            {
                return false;
            }
        }

        before = [.. own.Take(start)];
        return true;
    }

    /// <inheritdoc/>
    public bool Equals(DnsName? other) => other is not null && Ascii.EqualsIgnoreCase(_wire, other._wire);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as DnsName);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var b in _wire)
        {
            hash.Add(b is >= (byte)'A' and <= (byte)'Z' ? b | 0x20 : b);
        }

        return hash.ToHashCode();
    }

    /// <summary>The name with a dot at its end; the root is a dot.</summary>
    public override string ToString() => _wire.Length == 1 ? "." : string.Concat(ReadLabels(lower: false).Select(l => l + "."));

    private string[] ReadLabels(bool lower = true)
    {
        var labels = new List<string>();
        for (var at = 0; _wire[at] != 0; at += _wire[at] + 1)
        {
            var label = _wire.AsSpan(at + 1, _wire[at]);
            var text = label.Contains((byte)'.') ? Convert.ToHexString(label) + "\\" : Encoding.Latin1.GetString(label);
            labels.Add(lower ? text.ToLowerInvariant() : text);
        }

        return [.. labels];
    }
}
