using Podhost.Api.Selectors;

namespace Podhost.Api.Tests.Selectors;

public class FieldSelectorTests
{
    [Theory]
    [InlineData("", true)]
    [InlineData("metadata.name=x", true)]
    [InlineData("metadata.name==x,spec.nodeName!=n2", true)]
    [InlineData("metadata.name!=x", false)]
    [InlineData("spec.nodeName=", true)]
    [InlineData("spec.nodeName!=", false)]
    [InlineData("odd=a\\,b\\=c\\\\", true)]
    public void Matches(string selector, bool expected)
    {
        var fields = new Dictionary<string, string> { ["metadata.name"] = "x", ["odd"] = "a,b=c\\" };
        var parsed = FieldSelector.Parse(selector);
        Assert.Equal(expected, parsed.Matches(fields.GetValueOrDefault));
        Assert.Equal(expected, FieldSelector.Parse(parsed.ToString()).Matches(fields.GetValueOrDefault));
    }

    [Theory]
    [InlineData("a", "invalid selector: 'a'; can't understand 'a'")]
    [InlineData("a=b,c", "invalid selector: 'a=b,c'; can't understand 'c'")]
    [InlineData("a=b=c", "invalid field selector: unescaped character in value: =")]
    [InlineData("a=\\x", "invalid field selector: invalid escape sequence: \\x")]
    public void RefusesInUpstreamsWords(string selector, string message) =>
        Assert.Equal(message, Assert.Throws<FormatException>(() => FieldSelector.Parse(selector)).Message);

    [Fact]
    public void TellsTheRequiredValue()
    {
        Assert.Equal("x", FieldSelector.Parse("a!=y,metadata.name=x").RequiredValue("metadata.name"));
        Assert.Null(FieldSelector.Parse("metadata.name!=x").RequiredValue("metadata.name"));
    }
}
