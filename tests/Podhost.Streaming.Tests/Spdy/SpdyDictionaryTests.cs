using Podhost.Streaming.Spdy;

namespace Podhost.Streaming.Tests.Spdy;

public sealed class SpdyDictionaryTests
{
    /// <summary>Length and checksum of the dictionary as the draft prints it.</summary>
    [Fact]
    public void Is_the_dictionary_of_the_draft()
    {
        Assert.Equal(1423, SpdyDictionary.Bytes.Length);
        Assert.Equal(0xe3c6a7c2u, SpdyHeaderEncoder.Adler32(SpdyDictionary.Bytes));
    }
}
