using System.Text.Json;
using System.Threading.Channels;
using Podhost.Streaming.Contract;

namespace Podhost.Streaming.RemoteCommand;

/// <summary>Turns the resize stream, a sequence of small JSON objects cut anywhere, into terminal sizes; only the newest is kept.</summary>
internal sealed class TerminalSizeReader
{
    private const int MaxObject = 1024;
    private readonly Channel<TerminalSize> sizes = Channel.CreateBounded<TerminalSize>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });

    private readonly List<byte> pending = [];

    /// <summary>Where the sizes come out.</summary>
    public ChannelReader<TerminalSize> Sizes => sizes.Reader;

    /// <summary>Takes a piece of the stream.</summary>
    /// <exception cref="InvalidDataException">An object is no terminal size, or too long.</exception>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            if (pending.Count == 0 && value is not (byte)'{')
            {
                continue; // white space between objects
            }

            pending.Add(value);
            if (value == (byte)'}')
            {
                sizes.Writer.TryWrite(Parse(pending.ToArray()));
                pending.Clear();
            }
            else if (pending.Count > MaxObject)
            {
                throw new InvalidDataException("terminal size too long");
            }
        }
    }

    /// <summary>No more sizes.</summary>
    public void Complete() => sizes.Writer.TryComplete();

    private static TerminalSize Parse(byte[] json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return new TerminalSize(Get(document.RootElement, "Width"), Get(document.RootElement, "Height"));
        }
        catch (JsonException e)
        {
            throw new InvalidDataException("malformed terminal size", e);
        }
    }

    private static ushort Get(JsonElement size, string name)
    {
        foreach (var property in size.EnumerateObject())
        {
            if (property.Name.Equals(name, StringComparison.OrdinalIgnoreCase)
                && property.Value.ValueKind == JsonValueKind.Number && property.Value.TryGetUInt16(out var value))
            {
                return value;
            }
        }

        return 0;
    }
}
