using System.Text;

namespace Podhost.Cel.Values;

/// <summary>Strings counted in code points.</summary>
internal static class CodePoints
{
    public static int Count(string text)
    {
        var count = text.Length;
        foreach (var c in text)
        {
            if (char.IsLowSurrogate(c))
            {
                count--;
            }
        }

        return count;
    }

    /// <summary>Bytes of UTF-8.</summary>
    public static int Utf8Length(string text) => Encoding.UTF8.GetByteCount(text);

    /// <summary>The place in UTF-16 units of a code point.</summary>
    public static int Offset(string text, long index)
    {
        var at = 0;
        for (; index > 0; index--)
        {
            at += char.IsHighSurrogate(text[at]) && at + 1 < text.Length ? 2 : 1;
        }

        return at;
    }

    /// <summary>The number of code points before a place in UTF-16 units.</summary>
    public static int Index(string text, int offset) => Count(text[..offset]);

    /// <summary>Each code point as a string.</summary>
    public static IEnumerable<string> Split(string text)
    {
        for (var at = 0; at < text.Length;)
        {
            var width = char.IsHighSurrogate(text[at]) && at + 1 < text.Length ? 2 : 1;
            yield return text.Substring(at, width);
            at += width;
        }
    }

    /// <summary>Order of code points, as Go compares strings by their bytes.</summary>
    public static int Compare(string a, string b)
    {
        var length = Math.Min(a.Length, b.Length);
        for (var i = 0; i < length; i++)
        {
            if (a[i] != b[i])
            {
                var isSurrogate = char.IsSurrogate(a[i]);
                return isSurrogate != char.IsSurrogate(b[i]) ? (isSurrogate ? 1 : -1) : a[i].CompareTo(b[i]);
            }
        }

        return a.Length.CompareTo(b.Length);
    }
}
