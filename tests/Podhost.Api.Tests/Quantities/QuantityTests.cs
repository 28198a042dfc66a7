using CsCheck;
using Podhost.Api.Quantities;

namespace Podhost.Api.Tests.Quantities;

public class QuantityTests
{
    [Theory]
    [InlineData("0", "0")]
    [InlineData("1", "1")]
    [InlineData("1000m", "1")]
    [InlineData("0.5", "500m")]
    [InlineData("1.5", "1500m")]
    [InlineData("100m", "100m")]
    [InlineData("1500m", "1500m")]
    [InlineData("0.0001", "100u")]
    [InlineData("1n", "1n")]
    [InlineData("0.1n", "1n")]
    [InlineData("-0.1n", "-1n")]
    [InlineData("200M", "200M")]
    [InlineData("1000M", "1G")]
    [InlineData("1234567", "1234567")]
    [InlineData("100000", "100k")]
    [InlineData("1Gi", "1Gi")]
    [InlineData("1024Mi", "1Gi")]
    [InlineData("1.5Gi", "1536Mi")]
    [InlineData("0.5Gi", "512Mi")]
    [InlineData("512", "512")]
    [InlineData("1Ki", "1Ki")]
    [InlineData("0.5Ki", "512")]
    [InlineData("0.0001Ki", "102400u")]
    [InlineData("1e3", "1e3")]
    [InlineData("1E3", "1e3")]
    [InlineData("15e2", "1500")]
    [InlineData("12e6", "12e6")]
    [InlineData("1E", "1E")]
    [InlineData("+5", "5")]
    [InlineData("-5Mi", "-5Mi")]
    [InlineData(".5", "500m")]
    [InlineData("5.", "5")]
    [InlineData("8Ei", "9223372036854775807")]
    [InlineData("1000E", "1000E")]
    public void PrintsCanonically(string text, string expected) => Assert.Equal(expected, Quantity.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("abc")]
    [InlineData("1 Gi")]
    [InlineData("1GiB")]
    [InlineData("--1")]
    [InlineData("1.2.3")]
    [InlineData("1KI")]
    [InlineData("1e")]
    [InlineData("1e1000000000")]
    [InlineData(".")]
    [InlineData("٣")]
    public void RefusesWhatIsNoQuantity(string text)
    {
        Assert.False(Quantity.TryParse(text, out _));
        Assert.Throws<FormatException>(() => Quantity.Parse(text));
    }

    [Theory]
    [InlineData("100m", 1, 100)]
    [InlineData("1001m", 2, 1001)]
    [InlineData("-100m", -1, -100)]
    [InlineData("1u", 1, 1)]
    [InlineData("1Ki", 1024, 1024000)]
    [InlineData("9E", 9000000000000000000, long.MaxValue)]
    public void RoundsAwayFromZero(string text, long value, long milli)
    {
        Assert.Equal(value, Quantity.Parse(text).Value);
        Assert.Equal(milli, Quantity.Parse(text).MilliValue);
    }

    [Fact]
    public void AddsAcrossNotationsInTheFirstOne()
    {
        Assert.Equal("1537Mi", (Quantity.Parse("1.5Gi") + Quantity.Parse("1048576")).ToString());
        Assert.Equal("1Gi", (Quantity.Zero + Quantity.Parse("1Gi")).ToString());
        Assert.Equal("500m", (Quantity.Parse("1") - Quantity.Parse("500m")).ToString());
    }

    [Fact]
    public void DividesRoundingUp()
    {
        Assert.Equal(1, Quantity.Parse("100m").DivideRoundingUp(Quantity.Parse("1")));
        Assert.Equal(100, Quantity.Parse("100m").DivideRoundingUp(Quantity.Parse("1m")));
        Assert.Equal(191, Quantity.Parse("200M").DivideRoundingUp(Quantity.Parse("1Mi")));
    }

    private static readonly Gen<string> Texts = Gen.Select(
        Gen.Int[-100000, 100000], Gen.Int[0, 999],
        Gen.OneOf("", "n", "u", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", "e3", "e-3", "e6", "e0"),
        (whole, fraction, suffix) => $"{whole}.{fraction:000}{suffix}");

    [Fact]
    public void PrintingAndParsingKeepsTheAmount() => Texts.Sample(text =>
    {
        var quantity = Quantity.Parse(text);
        var printed = quantity.ToString();
        return Quantity.Parse(printed) == quantity && Quantity.Parse(printed).ToString() == printed;
    });

    [Fact]
    public void AdditionIsCommutativeAndOrdered() => Gen.Select(Texts, Texts).Sample((a, b) =>
    {
        var (x, y) = (Quantity.Parse(a), Quantity.Parse(b));
        return x + y == y + x && (x + y) - y == x && (x < y) == ((y - x).Sign > 0);
    });
}
