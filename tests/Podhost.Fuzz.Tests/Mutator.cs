using System.Text;

namespace Podhost.Fuzz.Tests;

/// <summary>Damages inputs in the ways that parsers fear: flipped bits, cut and doubled pieces, foreign pieces, boundary numbers, tokens of the format.</summary>
internal sealed class Mutator(Random random, IReadOnlyList<byte[]> corpus, IReadOnlyList<string> tokens)
{
    private const int MaxLength = 64 * 1024;

    private static readonly byte[] Boundaries = [0x00, 0x01, 0x7f, 0x80, 0xff, (byte)'0', (byte)'9', (byte)'/', (byte)'.', (byte)'"', (byte)'\n', (byte)' '];

    private static readonly string[] Numbers =
        ["0", "-1", "1e999", "2147483647", "2147483648", "-9223372036854775808", "9223372036854775807", "9223372036854775808", "18446744073709551616", "0.0000000001", "1e-400"];

    /// <summary>One of the corpus with one to three damages.</summary>
    public byte[] Next()
    {
        var data = corpus[random.Next(corpus.Count)].ToList();
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            Damage(data);
        }

        return [.. data.Take(MaxLength)];
    }

    private void Damage(List<byte> data)
    {
        var at = random.Next(data.Count + 1);
        var length = Math.Min(random.Next(1, 64), data.Count - at);
        switch (random.Next(10))
        {
            case 0 or 1 when at < data.Count:
                data[at] ^= (byte)(1 << random.Next(8));
                break;
            case 2 when at < data.Count:
                data[at] = Boundaries[random.Next(Boundaries.Length)];
                break;
            case 3:
                data.RemoveRange(at, length);
                break;
            case 4:
                data.InsertRange(random.Next(data.Count + 1), data.GetRange(at, length));
                break;
            case 5:
                data.InsertRange(at, Foreign());
                break;
            case 6:
                data.InsertRange(at, Encoding.UTF8.GetBytes(Numbers[random.Next(Numbers.Length)]));
                break;
            case 7 when tokens.Count > 0:
                data.InsertRange(at, Encoding.UTF8.GetBytes(tokens[random.Next(tokens.Count)]));
                break;
            case 8:
                data.RemoveRange(at, data.Count - at);
                break;
            default:
                data.InsertRange(at, Enumerable.Repeat(Boundaries[random.Next(Boundaries.Length)], random.Next(1, 300)));
                break;
        }
    }

    private byte[] Foreign()
    {
        var other = corpus[random.Next(corpus.Count)];
        var from = random.Next(other.Length + 1);
        return other[from..Math.Min(other.Length, from + random.Next(1, 512))];
    }
}
