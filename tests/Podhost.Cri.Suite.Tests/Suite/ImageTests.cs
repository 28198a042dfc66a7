using Grpc.Core;
using Podhost.Cri.Suite.Tests.Nodes;
using Podhost.Cri.V1;

namespace Podhost.Cri.Suite.Tests.Suite;

public sealed class EmbeddedImageTests(EmbeddedNode node) : ImageTests(node);

public sealed class ContainerdImageTests(ContainerdNode node) : ImageTests(node);

/// <summary>Pull, list, status and removal of images.</summary>
public abstract class ImageTests(CriNode node) : CriSuite(node)
{
    [Fact]
    public async Task An_image_is_known_by_tag_digest_and_id()
    {
        var reference = await Node.PullAsync(Node.Image);
        Assert.Equal(reference, await Node.PullAsync(Node.ImageByDigest));
        var byTag = (await StatusAsync(Node.Image))!;
        Assert.Contains(Node.Image, byTag.RepoTags);
        Assert.Contains(Node.ImageByDigest, byTag.RepoDigests);
        Assert.Equal("app", byTag.Username);
        Assert.True(byTag.Size > 0);
        Assert.Equal(byTag.Id, (await StatusAsync(Node.ImageByDigest))!.Id);
        Assert.Equal(byTag.Id, (await StatusAsync(byTag.Id))!.Id);
        Assert.Equal(byTag.Id, (await StatusAsync(reference))!.Id);
        Assert.Null(await StatusAsync("127.0.0.1:1/never/was:1"));
    }

    [Fact]
    public async Task A_second_tag_is_another_name_of_the_same_image()
    {
        await Node.PullAsync(Node.SecondImage);
        var image = (await StatusAsync(Node.SecondImage))!;
        Assert.Equal((await StatusAsync(Node.Image))!.Id, image.Id);
        Assert.Contains(Node.Image, image.RepoTags);
        Assert.Contains(Node.SecondImage, image.RepoTags);
        var listed = (await Node.Images.ListImagesAsync(new ListImagesRequest { Filter = new ImageFilter { Image = new ImageSpec { Image = Node.SecondImage } } }, Cancel)).Images;
        Assert.Contains(listed, each => each.Id == image.Id);
        Assert.Equal(Differs(true, false, "containerd 1.6 lists all images, whatever the filter"), listed.Count == 1);
        Assert.Contains((await Node.Images.ListImagesAsync(new ListImagesRequest(), Cancel)).Images, each => each.Id == image.Id);
    }

    [Fact]
    public async Task One_identifier_names_an_image_everywhere()
    {
        var reference = await Node.PullAsync(Node.Image);
        Assert.Equal(reference, (await StatusAsync(Node.Image))!.Id);
        await using var pod = await Node.RunAsync();
        var container = await pod.CreateAsync("true", config => config.Image = new ImageSpec { Image = reference, UserSpecifiedImage = Node.Image });
        var listed = (await Node.Runtime.ListContainersAsync(new ListContainersRequest { Filter = new ContainerFilter { Id = container } }, Cancel)).Containers.Single();
        var expected = Differs(reference, "", "image_id came with CRI of 1.31");
        Assert.Equal((expected, expected), ((await pod.StatusAsync(container)).ImageId, listed.ImageId));
    }

    [Theory]
    [InlineData("uid", 1002L, "")]
    [InlineData("uid-group", 1003L, "")]
    [InlineData("name-group", 0L, "app")]
    public async Task The_user_of_an_image_is_told_by_number_or_name_and_removal_by_id_takes_all(string tag, long uid, string name)
    {
        var id = await Node.PullAsync(Node.Tagged(tag));
        var image = (await StatusAsync(Node.Tagged(tag)))!;
        Assert.Equal((uid, name), (image.Uid?.Value ?? 0, image.Username));
        Assert.Equal([Node.Tagged(tag)], image.RepoTags);
        await Node.Images.RemoveImageAsync(new RemoveImageRequest { Image = new ImageSpec { Image = id } }, Cancel);
        Assert.Null(await StatusAsync(Node.Tagged(tag)));
        var digest = image.RepoDigests.Single();
        Assert.Equal(id, await Node.PullAsync(digest));
        var untagged = (await StatusAsync(digest))!;
        Assert.Empty(untagged.RepoTags);
        Assert.Equal([digest], untagged.RepoDigests);
        await Task.WhenAll(Enumerable.Range(0, 5).Select(async _ =>
        {
            await Node.Images.RemoveImageAsync(new RemoveImageRequest { Image = new ImageSpec { Image = id } }, Cancel);
            Assert.Null(await StatusAsync(id));
        }));
        Assert.Null(await StatusAsync(digest));
    }

    [Fact]
    public async Task Images_are_listed_as_a_stream()
    {
        var stream = Node.Images.StreamImagesAsync(new StreamImagesRequest { Filter = new ImageFilter { Image = new ImageSpec { Image = Node.Image } } }, Cancel);
        if (Differs(false, true, "streamed lists came with CRI of 1.36"))
        {
            await FailsAsync(StatusCode.Unimplemented, async () => await stream.GetAsyncEnumerator(Cancel).MoveNextAsync());
            return;
        }

        var seen = new List<string>();
        await foreach (var part in stream)
        {
            seen.AddRange(part.Images.SelectMany(image => image.RepoTags));
        }

        Assert.Contains(Node.Image, seen);
    }

    [Fact]
    public async Task What_the_registry_does_not_have_is_NotFound()
    {
        var absent = Node.Image.Replace("busybox:1", "busybox:absent", StringComparison.Ordinal);
        await FailsAsync(StatusCode.NotFound, () => Node.PullAsync(absent));
        await Assert.ThrowsAsync<RpcException>(() => Node.PullAsync("Not/A:Valid/Name"));
    }

    [Fact]
    public async Task Removal_of_what_never_was_is_no_error() =>
        await Node.Images.RemoveImageAsync(new RemoveImageRequest { Image = new ImageSpec { Image = "127.0.0.1:1/never/was:1" } }, Cancel);

    [Fact]
    public async Task The_file_system_of_images_is_told()
    {
        var info = await Node.Images.ImageFsInfoAsync(new ImageFsInfoRequest(), Cancel);
        // containerd collects the usage of its snapshots every ten seconds.
        await CriNode.UntilAsync(
            async () => (await Node.Images.ImageFsInfoAsync(new ImageFsInfoRequest(), Cancel)).ImageFilesystems.Sum(fs => (long)fs.UsedBytes.Value), used => used > 0);
        Assert.All(info.ImageFilesystems, fs => Assert.True(Directory.Exists(fs.FsId.Mountpoint)));
    }

    [Fact]
    public async Task Status_tells_more_when_asked()
    {
        var verbose = await Node.Images.ImageStatusAsync(new ImageStatusRequest { Image = new ImageSpec { Image = Node.Image }, Verbose = true }, Cancel);
        Assert.NotEmpty(verbose.Info);
    }

    private async Task<Image?> StatusAsync(string name) =>
        (await Node.Images.ImageStatusAsync(new ImageStatusRequest { Image = new ImageSpec { Image = name } }, Cancel)).Image;
}
