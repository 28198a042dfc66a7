using System.Globalization;
using System.Text;

namespace Podhost.Cel.Syntax;

/// <summary>The value of a quoted token: quotes, prefixes and escapes taken away.</summary>
internal static class StringLiteral
{
    /// <summary>The text of a string token.</summary>
    /// <exception cref="FormatException">An escape is not valid.</exception>
    public static string Text(string token)
    {
        var (body, raw) = Body(token);
        return raw ? body : new Escapes(body).Text();
    }

    /// <summary>The bytes of a bytes token: text as UTF-8, octal and hexadecimal escapes as single bytes.</summary>
    /// <exception cref="FormatException">An escape is not valid.</exception>
    public static byte[] Bytes(string token)
    {
        var (body, raw) = Body(token);
        return raw ? Encoding.UTF8.GetBytes(body) : new Escapes(body).Bytes();
    }

    private static (string Body, bool Raw) Body(string token)
    {
        var start = token.AsSpan().IndexOfAny('\'', '"');
        var raw = token.AsSpan(0, start).IndexOfAny('r', 'R') >= 0;
        var quote = token[start];
        var width = token.Length - start >= 6 && token[start + 1] == quote && token[start + 2] == quote ? 3 : 1;
        return (token[(start + width)..^width].Replace("\r\n", "\n", StringComparison.Ordinal), raw);
    }

    private sealed class Escapes(string body)
    {
        private int _at;

        public string Text()
        {
            var text = new StringBuilder();
            Read(c => text.Append(c), value => text.Append(Rune.IsValid(value) ? new Rune(value).ToString() : throw Bad("invalid unicode code point")));
            return text.ToString();
        }

        public byte[] Bytes()
        {
            var bytes = new List<byte>();
            Read(c => bytes.AddRange(Encoding.UTF8.GetBytes(c)), value => bytes.Add(value < 256 ? (byte)value : throw Bad("invalid byte")), isBytes: true);
            return [.. bytes];
        }

        private void Read(Action<string> plain, Action<int> code, bool isBytes = false)
        {
            while (_at < body.Length)
            {
                if (body[_at] == '\\')
                {
                    _at++;
                    Escape(plain, code, isBytes);
                }
                else
                {
                    var width = char.IsHighSurrogate(body[_at]) && _at + 1 < body.Length ? 2 : 1;
                    plain(body.Substring(_at, width));
                    _at += width;
                }
            }
        }

        private void Escape(Action<string> plain, Action<int> code, bool isBytes)
        {
            var c = _at < body.Length ? body[_at++] : throw Bad("found '\\' as last character");
            switch (c)
            {
                case 'x' or 'X':
                    code(Digits(2, 16));
                    break;
                case 'u' when !isBytes:
                    code(Digits(4, 16));
                    break;
                case 'U' when !isBytes:
                    code(Digits(8, 16));
                    break;
                case >= '0' and <= '3':
                    _at--;
                    code(Digits(3, 8));
                    break;
                default:
                    plain(Simple(c));
                    break;
            }
        }

        private static string Simple(char c) => c switch
        {
            'a' => "\a",
            'b' => "\b",
            'f' => "\f",
            'n' => "\n",
            'r' => "\r",
            't' => "\t",
            'v' => "\v",
            '\\' or '\'' or '"' or '`' or '?' => c.ToString(),
            _ => throw Bad("unable to unescape string"),
        };

        private int Digits(int count, int radix)
        {
            if (_at + count > body.Length)
            {
                throw Bad("unable to unescape string");
            }

            long value = 0;
            for (var end = _at + count; _at < end; _at++)
            {
                var digit = char.IsAsciiHexDigit(body[_at]) ? int.Parse(body.AsSpan(_at, 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture) : 99;
                value = digit < radix ? (value * radix) + digit : throw Bad("unable to unescape string");
            }

            return value <= 0x10FFFF ? (int)value : throw Bad("unable to unescape string");
        }

        private static FormatException Bad(string message) => new(message);
    }
}
