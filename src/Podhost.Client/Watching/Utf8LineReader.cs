namespace Podhost.Client.Watching;

/// <summary>Reads lines of bytes from a stream, of bounded length. The memory of a line is good until the next call.</summary>
internal sealed class Utf8LineReader(Stream stream, int mostBytes)
{
    private byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _searched;
    private int _end;

    /// <summary>The next line without its end; null at the end of the stream. A last line without an end is returned too.</summary>
    /// <exception cref="InvalidDataException">The line is longer than the bound.</exception>
    internal async ValueTask<ReadOnlyMemory<byte>?> ReadLineAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var newline = _buffer.AsSpan(_searched, _end - _searched).IndexOf((byte)'\n');
            if (newline >= 0)
            {
                var line = _buffer.AsMemory(_start, _searched + newline - _start);
                _start = _searched = _searched + newline + 1;
                return line.Length <= mostBytes ? line : throw TooLong();
            }

            _searched = _end;
            if (_end - _start > mostBytes)
            {
                throw TooLong();
            }

            MakeRoom();
            var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                var rest = _buffer.AsMemory(_start, _end - _start);
                _start = _searched = _end;
                return rest.Length == 0 ? (ReadOnlyMemory<byte>?)null : rest;
            }

            _end += read;
        }
    }

    private InvalidDataException TooLong() => new($"a line of the stream is longer than {mostBytes} bytes");

    private void MakeRoom()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _searched -= _start;
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }
    }
}
