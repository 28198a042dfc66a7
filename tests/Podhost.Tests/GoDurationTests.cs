using Podhost.Api.Quantities;
using Podhost.Configuration;

namespace Podhost.Tests;

public class GoDurationTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("300ms", 0.3)]
    [InlineData("1m30s", 90)]
    [InlineData("1.5h", 5400)]
    [InlineData("2h0m1s", 7201)]
    [InlineData("10us", 0.00001)]
    public void A_duration_is_the_sum_of_its_parts(string text, double seconds)
    {
        Assert.True(GoDuration.TryParse(text, out var duration));
        Assert.Equal(seconds, duration.TotalSeconds, 6);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("s")]
    [InlineData("-5s")]
    [InlineData("5 s")]
    [InlineData("5d")]
    [InlineData("1..5s")]
    [InlineData("1e3s")]
    [InlineData("9999999999999999999999h")]
    public void What_is_none_is_told_apart(string text) => Assert.False(GoDuration.TryParse(text, out _));
}
