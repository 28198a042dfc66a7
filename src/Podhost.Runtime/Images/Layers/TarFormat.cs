namespace Podhost.Runtime.Images.Layers;

/// <summary>Fields of a 512-byte tar header (POSIX ustar, and GNU's binary numbers).</summary>
internal static class TarFormat
{
    public const int BlockSize = 512;

    public static ImageException Broken(string what) => new(ImageError.Invalid, "invalid tar: " + what);

    public static bool IsZero(ReadOnlySpan<byte> block) => block.IndexOfAnyExcept((byte)0) < 0;

    public static ReadOnlySpan<byte> Text(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return end < 0 ? field : field[..end];
    }

    /// <summary>Octal text, or big-endian binary where the first bit is set.</summary>
    public static long Number(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) != 0)
        {
            return Binary(field);
        }

        var digits = Text(field).Trim((byte)' ');
        var number = 0L;
        foreach (var digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'7' || number >> 59 != 0)
            {
                throw Broken("a header field is no octal number");
            }

            number = (number << 3) | (uint)(digit - '0');
        }

        return number;
    }

    /// <summary>The sum of all bytes with the checksum field as spaces; old writers summed signed bytes.</summary>
    public static bool ChecksumFits(ReadOnlySpan<byte> header)
    {
        var expected = Number(header[148..156]);
        long unsigned = 8 * ' ', signed = 8 * ' ';
        for (var i = 0; i < BlockSize; i++)
        {
            if (i is < 148 or >= 156)
            {
                unsigned += header[i];
                signed += (sbyte)header[i];
            }
        }

        return expected == unsigned || expected == signed;
    }

    private static long Binary(ReadOnlySpan<byte> field)
    {
        // 0xff.. is a negative number in two's complement: only times may be one, and none of ours before 1970 matters enough.
        if (field[0] == 0xff)
        {
            return 0;
        }

        var number = (long)(field[0] & 0x7f);
        foreach (var part in field[1..])
        {
            if (number >> 55 != 0)
            {
                throw Broken("a header field is too large");
            }

            number = (number << 8) | part;
        }

        return number;
    }
}
