using System.Diagnostics;
using System.Formats.Tar;
using System.Text.Json.Nodes;
using Grpc.Core;
using Podhost.Runtime.Images;

namespace Podhost.Runtime.Tests.Images;

public sealed class LoadTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ADockerArchiveLoadsWithItsTags()
    {
        await using var node = await TestNode.StartAsync();
        var image = TestImage.Create([new TestLayer().File("a", "1").Tar(), new TestLayer().File("b", "2").Tar()], TestImage.LayerTar);
        var archive = Path.Combine(node.DataDirectory, "image.tar");
        await File.WriteAllBytesAsync(archive, TestLayer.Gzip(DockerSave(image, "team/app:v1", "app")), Token);

        var loaded = Assert.Single(await node.Images.Loader.LoadAsync(archive, null, Token));

        Assert.Equal(image.ConfigDigest, loaded.Id);
        Assert.Equal(["docker.io/team/app:v1", "docker.io/library/app:latest"], loaded.RepoTags);
        Assert.Empty(loaded.RepoDigests);
        Assert.NotNull(await node.StatusAsync("app"));
        Assert.Equal(3, node.Files("layers").Length);
        Assert.Empty(node.Files("load"));
    }

    [Fact]
    public async Task AnOciLayoutLoadsFromADirectoryAndFromAnArchive()
    {
        await using var node = await TestNode.StartAsync();
        var image = TestImage.Small();
        var layout = Path.Combine(node.DataDirectory, "layout");
        await WriteLayoutAsync(layout, image, "registry.example/app:v2");
        var loaded = Assert.Single(await node.Images.Loader.LoadAsync(layout, null, Token));
        Assert.Equal(["registry.example/app:v2"], loaded.RepoTags);
        Assert.Equal([$"registry.example/app@{image.ManifestDigest}"], loaded.RepoDigests);

        await node.RemoveAsync(loaded.Id);
        var archive = Path.Combine(node.DataDirectory, "layout.tar");
        await TarFile.CreateFromDirectoryAsync(layout, archive, includeBaseDirectory: false, Token);
        var named = Assert.Single(await node.Images.Loader.LoadAsync(archive, "renamed", Token));
        Assert.Equal(["docker.io/library/renamed:latest"], named.RepoTags);
    }

    [Fact]
    public async Task ADamagedBlobIsRefused()
    {
        await using var node = await TestNode.StartAsync();
        var image = TestImage.Small();
        var layout = Path.Combine(node.DataDirectory, "layout");
        await WriteLayoutAsync(layout, image, "app");
        var layer = image.Blobs.Keys.First(digest => digest != image.ConfigDigest);
        await File.AppendAllTextAsync(Path.Combine(layout, "blobs/sha256", layer["sha256:".Length..]), "x", Token);
        var e = await Assert.ThrowsAsync<RpcException>(() => node.Images.Loader.LoadAsync(layout, null, Token));
        Assert.Equal(StatusCode.InvalidArgument, e.StatusCode);
        Assert.Empty(node.Images.Catalog.List());
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("/etc/passwd")]
    public async Task ALayoutCannotNameFilesOutside(string name)
    {
        await using var node = await TestNode.StartAsync();
        var directory = Directory.CreateDirectory(Path.Combine(node.DataDirectory, "saved")).FullName;
        var manifest = new JsonArray(new JsonObject { ["Config"] = name, ["Layers"] = new JsonArray() });
        await File.WriteAllTextAsync(Path.Combine(directory, "manifest.json"), manifest.ToJsonString(), Token);
        var e = await Assert.ThrowsAsync<RpcException>(() => node.Images.Loader.LoadAsync(directory, null, Token));
        Assert.Contains("outside", e.Status.Detail);
    }

    [Fact]
    public async Task WhatIsNoArchiveIsRefused()
    {
        await using var node = await TestNode.StartAsync();
        var file = Path.Combine(node.DataDirectory, "file");
        await File.WriteAllTextAsync(file, new string('x', 2000), Token);
        Assert.Equal(StatusCode.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(() => node.Images.Loader.LoadAsync(file, null, Token))).StatusCode);
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => node.Images.Loader.LoadAsync(file + "x", null, Token))).StatusCode);
    }

    [Theory]
    [InlineData("docker-archive")]
    [InlineData("oci-archive")]
    public async Task ArchivesThatSkopeoWritesLoad(string transport)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/skopeo"), "skopeo is not installed");
        await using var node = await TestNode.StartAsync();
        var layout = Path.Combine(node.DataDirectory, "layout");
        await WriteLayoutAsync(layout, TestImage.Small("from skopeo"), "latest");
        var archive = Path.Combine(node.DataDirectory, "saved.tar");
        using var skopeo = Process.Start("/usr/bin/skopeo", ["copy", "-q", "--insecure-policy", $"oci:{layout}:latest", $"{transport}:{archive}:team/app:v3"]);
        await skopeo.WaitForExitAsync(Token);
        Assert.Equal(0, skopeo.ExitCode);
        await node.Images.Loader.LoadAsync(archive, null, Token);
        var image = node.Images.Catalog.Find("team/app:v3");
        Assert.NotNull(image);
        var layer = Path.Combine(node.DataDirectory, "layers", image.ChainIds[0]["sha256:".Length..], "diff/etc/motd");
        Assert.Equal("from skopeo", await File.ReadAllTextAsync(layer, Token));
    }

    private static byte[] DockerSave(TestImage image, params string[] tags)
    {
        var archive = new TestLayer();
        var layers = new JsonArray();
        foreach (var (digest, blob) in image.Blobs)
        {
            var hex = digest["sha256:".Length..];
            if (digest == image.ConfigDigest)
            {
                archive.File(hex + ".json", blob);
                continue;
            }

            // Old versions wrote shared layers as links.
            archive.File($"shared/{hex}.tar", blob).SymbolicLink($"{hex}/layer.tar", $"../shared/{hex}.tar");
            layers.Add($"{hex}/layer.tar");
        }

        return archive.File("manifest.json", TestImage.Bytes(new JsonArray(new JsonObject
        {
            ["Config"] = image.ConfigDigest["sha256:".Length..] + ".json",
            ["RepoTags"] = new JsonArray([.. tags.Select(tag => JsonValue.Create(tag))]),
            ["Layers"] = layers,
        }))).Tar();
    }

    private static async Task WriteLayoutAsync(string directory, TestImage image, string name)
    {
        var blobs = Directory.CreateDirectory(Path.Combine(directory, "blobs/sha256")).FullName;
        foreach (var (digest, blob) in image.Blobs.Append(KeyValuePair.Create(image.ManifestDigest, image.Manifest)))
        {
            await File.WriteAllBytesAsync(Path.Combine(blobs, digest["sha256:".Length..]), blob, Token);
        }

        await File.WriteAllTextAsync(Path.Combine(directory, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""", Token);
        var index = JsonNode.Parse(TestImage.Index((image, Platform.Host.Architecture)))!;
        index["manifests"]![0]!["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = name };
        await File.WriteAllBytesAsync(Path.Combine(directory, "index.json"), TestImage.Bytes(index), Token);
    }
}
