using CsCheck;
using Podhost.Runtime.Images;

namespace Podhost.Runtime.Tests.Images;

public sealed class ImageReferenceTests
{
    private const string Sha = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Theory]
    [InlineData("busybox", "docker.io/library/busybox:latest")]
    [InlineData("busybox:1.36", "docker.io/library/busybox:1.36")]
    [InlineData("arisu1000/simple-container-app:latest", "docker.io/arisu1000/simple-container-app:latest")]
    [InlineData("docker.io/busybox", "docker.io/library/busybox:latest")]
    [InlineData("index.docker.io/library/busybox", "docker.io/library/busybox:latest")]
    [InlineData("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10")]
    [InlineData("localhost/app", "localhost/app:latest")]
    [InlineData("localhost:5000/app", "localhost:5000/app:latest")]
    [InlineData("127.0.0.1:5000/a/b_c/d.e-f__g:T_1.x-y", "127.0.0.1:5000/a/b_c/d.e-f__g:T_1.x-y")]
    [InlineData("[::1]:5000/app", "[::1]:5000/app:latest")]
    [InlineData("busybox@" + Sha, "docker.io/library/busybox@" + Sha)]
    [InlineData("busybox:1.36@" + Sha, "docker.io/library/busybox@" + Sha)]
    [InlineData("FOO/bar", "FOO/bar:latest")]
    public void ReferencesAreCompleted(string text, string canonical) => Assert.Equal(canonical, ImageReference.Parse(text).Canonical);

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("Busybox")]
    [InlineData("busybox:")]
    [InlineData(":tag")]
    [InlineData("busybox:-tag")]
    [InlineData("busybox:tag:tag")]
    [InlineData("busybox@")]
    [InlineData("busybox@sha256:abc")]
    [InlineData("busybox@md5:0123456789abcdef0123456789abcdef")]
    [InlineData("a//b")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a/../b")]
    [InlineData("registry.example/../b")]
    [InlineData("registry.example:99999/a")]
    [InlineData("registry.example:x/a")]
    [InlineData("-x.example/a")]
    [InlineData("[::1/a")]
    [InlineData("[::1]x:5/a")]
    [InlineData("user:pw@registry.example/a")]
    [InlineData("http://registry.example/a")]
    [InlineData("registry.example/a?b")]
    [InlineData("registry.example/a%2f..")]
    [InlineData("a___b")]
    [InlineData("a..b")]
    [InlineData("a\0b")]
    [InlineData("a\nb")]
    [InlineData("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")]
    public void HostileTextIsRefused(string text)
    {
        Assert.False(ImageReference.TryParse(text, out _, out var error));
        Assert.StartsWith("invalid re", error);
    }

    [Fact]
    public void LongNamesAreRefused()
    {
        Assert.False(ImageReference.TryParse(new string('a', 300), out _, out _));
        Assert.False(ImageReference.TryParse("a:" + new string('t', 129), out _, out _));
    }

    [Fact]
    public void WhatParsesParsesToItselfAgain() =>
        Gen.String[Gen.Char["abzAZ019._-/:@[]%\0 \n"], 0, 60].Sample(
            text => !ImageReference.TryParse(text, out var reference, out _)
                || (ImageReference.Parse(reference.Canonical).Canonical == reference.Canonical && !reference.Path.Contains("..")),
            iter: 20_000);
}
