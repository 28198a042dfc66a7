using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Runtime.Images;
using Podhost.Tests.Shared;

namespace Podhost.Runtime.Tests.Images;

public sealed class PullTests
{
    [Fact]
    public async Task PullByTagMakesACompleteImage()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var node = await TestNode.StartAsync();
        var image = TestImage.Small(user: "1000:50");
        await registry.PushAsync("team/app", "v1", image);

        var id = await node.PullAsync($"{registry.Host}/team/app:v1");

        Assert.Equal(image.ConfigDigest, id);
        var status = await node.StatusAsync($"{registry.Host}/team/app:v1");
        Assert.NotNull(status);
        Assert.Equal([$"{registry.Host}/team/app:v1"], status.RepoTags);
        Assert.Equal([$"{registry.Host}/team/app@{image.ManifestDigest}"], status.RepoDigests);
        Assert.Equal(1000, status.Uid.Value);
        Assert.Equal("", status.Username);
        Assert.Equal((ulong)(image.Manifest.Length + image.Blobs.Values.Sum(blob => blob.Length)), status.Size);

        var config = node.Images.Catalog.Find(id)!.Config;
        Assert.Equal(["PATH=/bin", "GREETING=hello"], config.Env);
        Assert.Equal(["/bin/app"], config.Entrypoint);
        Assert.Equal(["--serve"], config.Cmd);
        Assert.Equal("/srv", config.WorkingDir);
        Assert.Equal("SIGINT", config.StopSignal);
        Assert.Equal("pods", config.Labels["team"]);
        Assert.Equal(["/data"], config.Volumes);
        Assert.Contains(node.Progress, step => step.Phase == PullPhase.Downloading && step.Current == step.Total);
        Assert.Equal(PullPhase.Done, node.Progress[^1].Phase);
    }

    [Fact]
    public async Task ImagesSurviveARestart()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var node = await TestNode.StartAsync();
        await registry.PushAsync("app", "latest", TestImage.Small());
        var id = await node.PullAsync($"{registry.Host}/app");
        await node.RestartAsync();
        Assert.Equal(id, (await node.StatusAsync($"{registry.Host}/app"))?.Id);
        Assert.Equal(id, (await node.StatusAsync(id))?.Id);
        Assert.Equal(id, (await node.StatusAsync(id["sha256:".Length..]))?.Id);
    }

    [Fact]
    public async Task PullByDigestHasNoTag()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var node = await TestNode.StartAsync();
        var image = TestImage.Small();
        await registry.PushAsync("app", "v1", image);
        var reference = $"{registry.Host}/app:v1@{image.ManifestDigest}";
        await node.PullAsync(reference);
        var status = await node.StatusAsync(reference);
        Assert.NotNull(status);
        Assert.Empty(status.RepoTags);
        Assert.Equal([$"{registry.Host}/app@{image.ManifestDigest}"], status.RepoDigests);
    }

    [Fact]
    public async Task AMovedTagLeavesTheOldImageItsDigest()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var node = await TestNode.StartAsync();
        await registry.PushAsync("app", "latest", TestImage.Small("one"));
        var first = await node.PullAsync($"{registry.Host}/app");
        await registry.PushAsync("app", "latest", TestImage.Small("two"));
        var second = await node.PullAsync($"{registry.Host}/app");
        Assert.NotEqual(first, second);
        Assert.Equal(second, (await node.StatusAsync($"{registry.Host}/app"))?.Id);
        Assert.Empty((await node.StatusAsync(first))!.RepoTags);
    }

    [Theory]
    [InlineData(TestImage.LayerTar)]
    [InlineData(TestImage.LayerGzip)]
    [InlineData(TestImage.LayerZstd)]
    public async Task EveryCompressionUnpacks(string mediaType)
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var node = await TestNode.StartAsync();
        await registry.PushAsync("app", "latest", TestImage.Create([new TestLayer().File("motd", mediaType).Tar()], mediaType));
        var id = await node.PullAsync($"{registry.Host}/app");
        var layer = node.Images.Catalog.Find(id)!.ChainIds[0]["sha256:".Length..];
        Assert.Equal(mediaType, await File.ReadAllTextAsync(Path.Combine(node.DataDirectory, "layers", layer, "diff", "motd")));
        // Unpacked layers need no blobs: manifest and configuration remain.
        Assert.Equal(2, node.Files("content/sha256").Length);
        Assert.Empty(node.Files("content/ingest"));
    }

    [Fact]
    public async Task AnIndexGivesTheImageOfThisMachine()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var node = await TestNode.StartAsync();
        var mine = TestImage.Small("mine");
        await registry.PushIndexAsync("app", "latest", (TestImage.Small("s390x"), "s390x"), (mine, Platform.Host.Architecture));
        Assert.Equal(mine.ConfigDigest, await node.PullAsync($"{registry.Host}/app"));
        var digest = (await node.StatusAsync($"{registry.Host}/app"))!.RepoDigests.Single();
        Assert.NotEqual($"{registry.Host}/app@{mine.ManifestDigest}", digest);

        await registry.PushIndexAsync("other", "latest", (TestImage.Small("s390x"), "s390x"));
        var failure = await node.FailPullAsync($"{registry.Host}/other");
        Assert.Equal(StatusCode.NotFound, failure.StatusCode);
        Assert.Contains("no match for platform", failure.Status.Detail);
    }

    [Fact]
    public async Task CredentialsOpenAPrivateRegistry()
    {
        await using var registry = await RegistryProcess.StartAsync(authenticated: true);
        await using var node = await TestNode.StartAsync();
        await registry.PushAsync("app", "latest", TestImage.Small());
        var image = $"{registry.Host}/app";

        var anonymous = await node.FailPullAsync(image);
        Assert.Equal(StatusCode.PermissionDenied, anonymous.StatusCode);
        Assert.StartsWith(
            $"failed to pull and unpack image \"{image}:latest\": failed to resolve reference \"{image}:latest\": "
            + "pull access denied, repository does not exist or may require authorization: ",
            anonymous.Status.Detail);

        var wrong = await node.FailPullAsync(image, new AuthConfig { Username = RegistryProcess.Username, Password = "wrong" });
        Assert.Equal(StatusCode.PermissionDenied, wrong.StatusCode);
        Assert.DoesNotContain("wrong", wrong.Status.Detail);

        var other = new AuthConfig { Username = RegistryProcess.Username, Password = RegistryProcess.Password, ServerAddress = "https://registry.example" };
        Assert.Equal(StatusCode.PermissionDenied, (await node.FailPullAsync(image, other)).StatusCode);

        await node.PullAsync(image, new AuthConfig { Username = RegistryProcess.Username, Password = RegistryProcess.Password, ServerAddress = registry.Host });
        await node.RemoveAsync(image);
        var encoded = Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes($"{RegistryProcess.Username}:{RegistryProcess.Password}"));
        await node.PullAsync(image, new AuthConfig { Auth = encoded });
    }

    [Fact]
    public async Task AnAbsentImageIsNotFound()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var node = await TestNode.StartAsync();
        var image = $"{registry.Host}/nope:v1";
        var failure = await node.FailPullAsync(image);
        Assert.Equal(StatusCode.NotFound, failure.StatusCode);
        Assert.Equal(
            $"failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": {image}: not found", failure.Status.Detail);
        Assert.Null(await node.StatusAsync(image));
    }

    [Fact]
    public async Task AnUnreachableRegistryIsToldAsSuch()
    {
        await using var node = await TestNode.StartAsync();
        var failure = await node.FailPullAsync("127.0.0.1:1/app");
        Assert.Equal(StatusCode.Unknown, failure.StatusCode);
        Assert.Contains("failed to do request: Get \"http://127.0.0.1:1/v2/app/manifests/latest\"", failure.Status.Detail);
    }

    [Fact]
    public async Task ABadReferenceIsRefused()
    {
        await using var node = await TestNode.StartAsync();
        var failure = await node.FailPullAsync("Not A Reference");
        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
        Assert.StartsWith("failed to parse image reference \"Not A Reference\": invalid reference format", failure.Status.Detail);
    }

    [Fact]
    public async Task AWrongDiffIdLeavesNothing()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var node = await TestNode.StartAsync();
        var tar = new TestLayer().File("x", "x").Tar();
        await registry.PushAsync("app", "latest", TestImage.Create([tar], diffIds: ["sha256:" + new string('0', 64)]));
        var failure = await node.FailPullAsync($"{registry.Host}/app");
        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
        Assert.Contains("wrong diff id", failure.Status.Detail);
        Assert.Equal(["empty"], node.Files("layers"));
        Assert.Null(await node.StatusAsync($"{registry.Host}/app"));
    }

    [Fact]
    public async Task RemovalTakesAllNamesAndWhatNobodyElseNeeds()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var node = await TestNode.StartAsync();
        var shared = new TestLayer().File("shared", "shared").Tar();
        var keep = TestImage.Create([shared, new TestLayer().File("keep", "keep").Tar()]);
        var gone = TestImage.Create([shared, new TestLayer().File("gone", "gone").Tar()]);
        await registry.PushAsync("keep", "latest", keep);
        await registry.PushAsync("gone", "latest", gone);
        await registry.PushAsync("gone", "v2", gone);
        var kept = await node.PullAsync($"{registry.Host}/keep");
        await node.PullAsync($"{registry.Host}/gone");
        await node.PullAsync($"{registry.Host}/gone:v2");
        Assert.Equal(4, node.Files("layers").Length);

        await node.RemoveAsync($"{registry.Host}/gone:v2");
        await node.RemoveAsync($"{registry.Host}/gone:v2");

        Assert.Null(await node.StatusAsync($"{registry.Host}/gone"));
        var list = await node.Images.Service.ListImagesAsync(new ListImagesRequest(), CancellationToken.None);
        Assert.Equal([kept], list.Images.Select(image => image.Id));
        Assert.Equal(3, node.Files("layers").Length);
        Assert.Equal(2, node.Files("content/sha256").Length);
    }

    [Fact]
    public async Task ParallelPullsOfOneImageAgree()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var node = await TestNode.StartAsync();
        var image = TestImage.Create([new TestLayer().File("big", new byte[4 << 20]).Tar(), new TestLayer().File("x", "x").Tar()]);
        await registry.PushAsync("app", "latest", image);
        var ids = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => node.PullAsync($"{registry.Host}/app")));
        Assert.All(ids, id => Assert.Equal(image.ConfigDigest, id));
        Assert.Equal(3, node.Files("layers").Length);
        Assert.Equal(2, node.Files("content/sha256").Length);
    }

    [Fact]
    public async Task TheFilesystemReportCountsLayers()
    {
        await using var registry = await RegistryProcess.StartAsync();
        await using var node = await TestNode.StartAsync();
        await registry.PushAsync("app", "latest", TestImage.Create([new TestLayer().File("big", new byte[1 << 20]).Tar()]));
        await node.PullAsync($"{registry.Host}/app");
        var info = await node.Images.Service.ImageFsInfoAsync(new ImageFsInfoRequest(), CancellationToken.None);
        var usage = info.ImageFilesystems.Single();
        Assert.Equal(node.DataDirectory, usage.FsId.Mountpoint);
        Assert.InRange(usage.UsedBytes.Value, 1u << 20, 2u << 20);
        Assert.True(usage.Timestamp > 0);
    }
}
