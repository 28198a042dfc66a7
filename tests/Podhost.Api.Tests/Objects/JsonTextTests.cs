using System.Text;
using System.Text.Json;
using Podhost.Api.Objects;

namespace Podhost.Api.Tests.Objects;

public sealed class JsonTextTests
{
    [Theory]
    [InlineData("""{"a":"b"}""", "b")]
    [InlineData("""{"a":"\ud83d\ude00"}""", "\ud83d\ude00")]
    [InlineData("""{"a":"\ud83d"}""", "\ufffd")]
    [InlineData("""{"a":"x\uDE00y"}""", "x\ufffdy")]
    [InlineData("""{"a":"\ud83d\ud83d\ude00"}""", "\ufffd\ud83d\ude00")]
    [InlineData("""{"a":"\\ud83d"}""", "\\ud83d")]
    [InlineData("""{"a":"\\\ud83d"}""", "\\\ufffd")]
    public void Halves_of_surrogate_pairs_become_replacement_characters(string json, string value) =>
        Assert.Equal(value, JsonText.Parse(Encoding.UTF8.GetBytes(json))!["a"]!.GetValue<string>());

    [Fact]
    public void Bytes_that_are_no_utf8_become_replacement_characters() =>
        Assert.Equal("x\ufffdy", JsonText.Parse([.. "{\"a\":\"x"u8, 0xff, .. "y\"}"u8])!["a"]!.GetValue<string>());

    [Fact]
    public void What_needs_no_mending_is_not_copied()
    {
        var json = "{\"a\":\"\\ud83d\\ude00\"}"u8.ToArray();
        Assert.Same(json, JsonText.Repair(json));
    }

    [Theory]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("""{"a":{"b":1,"b":1}}""")]
    [InlineData("""{"a":""")]
    public void Broken_documents_are_refused(string json) => Assert.ThrowsAny<JsonException>(() => JsonText.Parse(Encoding.UTF8.GetBytes(json)));
}
