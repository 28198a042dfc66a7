using System.Text;

namespace Podhost.Runtime.Processes;

/// <summary>Reads a program's words line by line, of bounded length; what follows a line stays for the next.</summary>
internal sealed class LineReader(Stream stream)
{
    private const int MaxLineBytes = 64 * 1024;
    private readonly byte[] _buffer = new byte[MaxLineBytes];
    private int _length;

    /// <summary>The next line without its end; what there is where the stream ends or the bound is reached before; empty for nothing.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    internal async Task<string> ReadAsync(CancellationToken cancellationToken)
    {
        int end;
        while ((end = Array.IndexOf(_buffer, (byte)'\n', 0, _length)) < 0 && _length < MaxLineBytes)
        {
            var count = await stream.ReadAsync(_buffer.AsMemory(_length), cancellationToken);
            if (count == 0)
            {
                break;
            }

            _length += count;
        }

        var line = Encoding.UTF8.GetString(_buffer, 0, end < 0 ? _length : end);
        var taken = end < 0 ? _length : end + 1;
        Array.Copy(_buffer, taken, _buffer, 0, _length - taken);
        _length -= taken;
        return line;
    }
}
