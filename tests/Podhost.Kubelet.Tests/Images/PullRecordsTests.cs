using System.Text;
using k8s.Models;
using Microsoft.Extensions.Time.Testing;
using NSubstitute;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Kubelet.Images;
using Podhost.Kubelet.Tests.Support;

namespace Podhost.Kubelet.Tests.Images;

/// <summary>Who may use an image that is on the node already.</summary>
public sealed class PullRecordsTests : IDisposable
{
    private const string Private = "reg.test:5000/team/app:1";
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("podhost-records-");
    private readonly FakeTimeProvider time = new(DateTimeOffset.UtcNow);
    private readonly IImageService images = Substitute.For<IImageService>();
    private readonly FakeObjects objects = new();
    private PullVerification verification = PullVerification.Default;

    public PullRecordsTests()
    {
        images.ImageStatusAsync(null!, default).ReturnsForAnyArgs(new ImageStatusResponse { Image = new Image { Id = "sha256:one", Size = 5 } });
        Secret("right", "u1", "ann", "letmein");
        Secret("wrong", "u2", "ann", "guess");
        Secret("copy", "u3", "ann", "letmein");
        images.PullImageAsync(null!, default).ReturnsForAnyArgs(call => call.Arg<PullImageRequest>().Auth?.Password == "letmein"
            ? Task.FromResult(new PullImageResponse { ImageRef = "sha256:one" })
            : throw new Grpc.Core.RpcException(new Grpc.Core.Status(Grpc.Core.StatusCode.PermissionDenied, "denied")));
    }

    public void Dispose() => directory.Delete(recursive: true);

    [Fact]
    public async Task What_was_there_before_is_everybodys()
    {
        Assert.False(await MustPullAsync());
        Assert.False(await MustPullAsync("wrong"));
    }

    [Fact]
    public async Task What_a_secret_opened_needs_that_secret_or_the_same_credential()
    {
        await PullAsync("right");
        Assert.False(await MustPullAsync("right"));
        Assert.False(await MustPullAsync("copy"));
        Assert.False(await MustPullAsync("wrong", "copy"));
        Assert.True(await MustPullAsync("wrong"));
        Assert.True(await MustPullAsync());
    }

    [Fact]
    public async Task A_secret_whose_content_changed_is_still_the_one_that_opened_it()
    {
        await PullAsync("right");
        Secret("right", "u1", "ann", "new");
        Assert.False(await MustPullAsync("right"));

        // Another Secret of its name is not.
        Secret("right", "u9", "ann", "new");
        Assert.True(await MustPullAsync("right"));
    }

    [Fact]
    public async Task What_nobody_had_to_open_is_everybodys()
    {
        Records().Begin("public.test/app");
        Records().Succeeded("public.test/app", "sha256:one", null);
        Assert.False(await MustPullAsync("public.test/app", []));
        Assert.False(await MustPullAsync("public.test/app:2", []));

        // The same image under a name from elsewhere is not known to be public there.
        Assert.True(await MustPullAsync(Private, []));
    }

    [Fact]
    public async Task A_failed_pull_leaves_an_image_that_was_there_to_everybody_and_one_cut_off_to_nobody()
    {
        await Assert.ThrowsAsync<Grpc.Core.RpcException>(() => PullAsync("wrong"));
        Assert.False(await MustPullAsync());

        Records().Begin(Private); // the kubelet ends here
        Assert.True(await MustPullAsync());
    }

    [Fact]
    public async Task A_broken_record_opens_to_nobody_and_the_next_pull_mends_it()
    {
        await PullAsync("right");
        var file = Directory.GetFiles(Path.Combine(directory.FullName, "pulled")).Single();
        await File.WriteAllTextAsync(file, "{\"kind\": tr", TestContext.Current.CancellationToken);
        Assert.True(await MustPullAsync("right"));
        await PullAsync("right");
        Assert.False(await MustPullAsync("right"));
    }

    [Fact]
    public async Task An_image_that_left_the_node_is_forgotten_unless_it_came_later()
    {
        await PullAsync("right");
        Records().Prune(["sha256:one"], DateTimeOffset.UtcNow.AddMinutes(1));
        Assert.True(await MustPullAsync());
        Records().Prune([], DateTimeOffset.UtcNow.AddMinutes(-1));
        Assert.True(await MustPullAsync());
        Records().Prune([], DateTimeOffset.UtcNow.AddMinutes(1));
        Assert.False(await MustPullAsync());
    }

    [Theory]
    [InlineData(PullVerificationPolicy.NeverVerify, true, false)]
    [InlineData(PullVerificationPolicy.NeverVerify, false, false)]
    [InlineData(PullVerificationPolicy.NeverVerifyPreloadedImages, false, false)]
    [InlineData(PullVerificationPolicy.NeverVerifyPreloadedImages, true, true)]
    [InlineData(PullVerificationPolicy.NeverVerifyAllowlistedImages, false, true)]
    [InlineData(PullVerificationPolicy.AlwaysVerify, false, true)]
    [InlineData(PullVerificationPolicy.NeverVerifyAllowlistedImages, false, false, "reg.test:5000/team/*")]
    [InlineData(PullVerificationPolicy.NeverVerifyAllowlistedImages, false, false, "reg.test:5000/team/app")]
    [InlineData(PullVerificationPolicy.NeverVerifyAllowlistedImages, false, true, "reg.test:5000/team/ap")]
    [InlineData(PullVerificationPolicy.NeverVerifyAllowlistedImages, true, true, "reg.test:5000/team/*")]
    public async Task Policies(PullVerificationPolicy policy, bool pulled, bool mustPull, params string[] allowlist)
    {
        verification = new PullVerification(policy, allowlist);
        if (pulled)
        {
            await PullAsync("right");
        }

        Assert.Equal(mustPull, await MustPullAsync());
    }

    private PullRecords Records() => new(directory.FullName, time);

    private ImagePuller Puller() => new(images, new PullSecrets(objects), Records(), verification, 2, time);

    private Task PullAsync(params string[] secrets) => Puller().PullAsync(Pod(secrets), Private, TestContext.Current.CancellationToken);

    private Task<bool> MustPullAsync(params string[] secrets) => MustPullAsync(Private, secrets);

    private async Task<bool> MustPullAsync(string image, string[] secrets) =>
        (await Puller().InspectAsync(Pod(secrets), image, TestContext.Current.CancellationToken))!.NeedsPull;

    private static V1Pod Pod(string[] secrets) => new()
    {
        Metadata = new V1ObjectMeta { NamespaceProperty = "ns", Name = "p", Uid = "u" },
        Spec = new V1PodSpec { ImagePullSecrets = [.. secrets.Select(s => new V1LocalObjectReference { Name = s })] },
    };

    private void Secret(string name, string uid, string user, string password)
    {
        var json = $$"""{"auths": {"reg.test:5000": {"username": "{{user}}", "password": "{{password}}"} } }""";
        objects.Secrets["ns/" + name] = new V1Secret
        {
            Metadata = new V1ObjectMeta { NamespaceProperty = "ns", Name = name, Uid = uid },
            Data = new Dictionary<string, byte[]> { [".dockerconfigjson"] = Encoding.UTF8.GetBytes(json) },
        };
    }
}
