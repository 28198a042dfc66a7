using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using NSubstitute;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Kubelet.Images;

namespace Podhost.Kubelet.Tests.Images;

/// <summary>Images leave the disk when it is nearly full or when they are old, those in use never.</summary>
public sealed class ImageGarbageTests : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("podhost-garbage-");
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly IImageService images = Substitute.For<IImageService>();
    private readonly IRuntimeService runtime = Substitute.For<IRuntimeService>();
    private readonly Dictionary<string, ulong> present = [];
    private readonly List<string> used = [];
    private readonly List<string> removed = [];
    private readonly List<string> warnings = [];
    private DiskSpace disk = new(1000, 1000);

    public ImageGarbageTests()
    {
        images.ListImagesAsync(null!, default).ReturnsForAnyArgs(_ => List());
        images.ImageStatusAsync(null!, default).ReturnsForAnyArgs(c => new ImageStatusResponse { Image = new Image { Id = c.Arg<ImageStatusRequest>().Image.Image } });
        images.ImageFsInfoAsync(null!, default).ReturnsForAnyArgs(new ImageFsInfoResponse { ImageFilesystems = { new FilesystemUsage { FsId = new FilesystemIdentifier { Mountpoint = "/images" } } } });
        images.RemoveImageAsync(null!, default).ReturnsForAnyArgs(c =>
        {
            removed.Add(c.Arg<RemoveImageRequest>().Image.Image);
            present.Remove(removed[^1]);
            return new RemoveImageResponse();
        });
        runtime.ListContainersAsync(null!, default).ReturnsForAnyArgs(_ =>
        {
            var answer = new ListContainersResponse();
            answer.Containers.AddRange(used.Select(u => new Container { ImageId = u, Labels = { ["io.kubernetes.pod.uid"] = "pod-of-" + u } }));
            return answer;
        });
    }

    public void Dispose() => directory.Delete(recursive: true);

    [Theory]
    [InlineData(85, 80, 1000, 160, 0)]
    [InlineData(85, 80, 1000, 151, 49)]
    [InlineData(85, 80, 1000, 150, 50)]
    [InlineData(85, 80, 1000, 0, 200)]
    [InlineData(100, 80, 1000, 0, 0)]
    [InlineData(85, 80, 1000, 2000, 0)]
    [InlineData(85, 80, long.MaxValue, 0, 1844674407370955161)]
    public void From_the_high_threshold_down_to_the_low_one(int high, int low, long capacity, long available, long toFree) =>
        Assert.Equal(toFree, ImageGarbageRules.ToFree(new ImageGarbageOptions { HighThresholdPercent = high, LowThresholdPercent = low }, new DiskSpace(capacity, available)));

    [Fact]
    public async Task An_image_that_a_volume_shows_is_in_use()
    {
        Have("used", "data", "other");
        used.Add("used");
        runtime.ContainerStatusAsync(null!, default).ReturnsForAnyArgs(_ => new ContainerStatusResponse
        {
            Status = new ContainerStatus { Mounts = { new Mount { HostPath = "/x" }, new Mount { Image = new ImageSpec { Image = "registry/data:1", ImageRef = "data" } } } },
        });
        var garbage = Garbage();
        garbage.Track("pod-of-used", new k8s.Models.V1Pod { Spec = new k8s.Models.V1PodSpec { Volumes = [new k8s.Models.V1Volume { Name = "v", Image = new k8s.Models.V1ImageVolumeSource { Reference = "registry/data:1" } }] } });
        await garbage.CollectAsync(default);
        time.Advance(TimeSpan.FromMinutes(3));
        await garbage.FreeAsync(default);
        Assert.Equal(["other"], removed);

        garbage.Track("pod-of-used", null);
        await garbage.FreeAsync(default);
        Assert.Equal(["other", "data"], removed);
    }

    [Fact]
    public async Task A_full_disk_loses_the_images_that_are_unused_the_longest_and_none_in_use()
    {
        Have("used", "old", "older", "pinned", "infra");
        used.AddRange(["used", "old", "older"]);
        var garbage = Garbage();
        await garbage.CollectAsync(default);
        used.Remove("older");
        time.Advance(TimeSpan.FromMinutes(3));
        await garbage.CollectAsync(default);
        used.Remove("old");
        Have("new");
        disk = new DiskSpace(1000, 100);
        time.Advance(TimeSpan.FromMinutes(3));
        Assert.Empty(removed);

        await garbage.CollectAsync(default);
        Assert.Equal(["older"], removed);
        await garbage.CollectAsync(default);
        Assert.Equal(["older", "old"], removed);

        // "new" was seen for the first time just now.
        var failure = await Assert.ThrowsAsync<ImageGarbageException>(() => garbage.CollectAsync(default));
        Assert.Equal("Failed to garbage collect required amount of images. Attempted to free 100 bytes, but only found 0 bytes eligible to free.", failure.Message);
        Assert.Equal(["FreeDiskSpaceFailed: " + failure.Message], warnings);
        time.Advance(TimeSpan.FromMinutes(2));
        await garbage.CollectAsync(default);
        Assert.Equal(["older", "old", "new"], removed);
    }

    [Fact]
    public async Task A_node_short_of_disk_loses_all_that_is_unused_but_what_its_runtime_makes_sandboxes_of()
    {
        Have("used", "a", "b", "pinned", "pause");
        used.Add("used");
        runtime.StatusAsync(null!, default).ReturnsForAnyArgs(new StatusResponse { Info = { ["config"] = """{"sandboxImage": "pause"}""" } });
        var garbage = Garbage(infra: "");
        await garbage.CollectAsync(default);
        time.Advance(TimeSpan.FromMinutes(3));
        await garbage.FreeAsync(default);
        Assert.Equal(["a", "b"], removed.Order());
    }

    [Fact]
    public async Task What_a_pod_was_just_given_stays()
    {
        Have("a");
        var garbage = Garbage();
        await garbage.CollectAsync(default);
        time.Advance(TimeSpan.FromMinutes(5));
        disk = new DiskSpace(1000, 100);
        garbage.Granted("a", pulled: false);
        await Assert.ThrowsAsync<ImageGarbageException>(() => garbage.CollectAsync(default));
        Assert.Empty(removed);
        time.Advance(TimeSpan.FromMinutes(1));
        await garbage.CollectAsync(default);
        Assert.Equal(["a"], removed);
    }

    [Fact]
    public async Task Images_that_nobody_used_for_the_maximum_age_go_from_an_empty_disk_once_this_process_is_that_old()
    {
        Have("used", "idle");
        used.Add("used");
        var garbage = Garbage(new ImageGarbageOptions { MaximumAge = TimeSpan.FromHours(1) });
        time.Advance(TimeSpan.FromMinutes(59));
        await garbage.CollectAsync(default);
        Assert.Empty(removed);
        time.Advance(TimeSpan.FromMinutes(2));
        await garbage.CollectAsync(default);
        Assert.Empty(removed); // it is known for two minutes only
        time.Advance(TimeSpan.FromMinutes(61));
        await garbage.CollectAsync(default);
        Assert.Equal(["idle"], removed);
    }

    [Fact]
    public async Task A_pull_is_looked_at_at_once_and_a_second_failure_in_a_row_is_told()
    {
        Have("used");
        used.Add("used");
        disk = new DiskSpace(1000, 100);
        var looks = 0;
        var told = new TaskCompletionSource();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        ImageGarbage garbage = null!;
        garbage = Garbage(warn: reason =>
        {
            if (reason == "FreeDiskSpaceFailed" && ++looks == 1)
            {
                garbage.Granted("used", pulled: true);
            }
            else if (reason == "ImageGCFailed")
            {
                told.TrySetResult();
            }
        });
        garbage.Granted("used", pulled: true);
        var running = garbage.RunAsync(ending.Token);
        await told.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(["FreeDiskSpaceFailed", "FreeDiskSpaceFailed", "ImageGCFailed"], warnings.Select(w => w.Split(':')[0]));
        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task A_disk_without_capacity_is_told()
    {
        disk = default;
        await Assert.ThrowsAsync<ImageGarbageException>(() => Garbage().CollectAsync(default));
        Assert.Equal(["InvalidDiskCapacity: invalid capacity 0 on image filesystem"], warnings);
    }

    private void Have(params string[] ids)
    {
        foreach (var id in ids)
        {
            present[id] = 100;
        }
    }

    private ListImagesResponse List()
    {
        var answer = new ListImagesResponse();
        answer.Images.AddRange(present.Select(i => new Image { Id = i.Key, Size = i.Value, Pinned = i.Key == "pinned" }));
        return answer;
    }

    private ImageGarbage Garbage(ImageGarbageOptions? options = null, Action<string>? warn = null, string infra = "infra") => new(
        new ImageGarbageServices
        {
            Images = images,
            Runtime = runtime,
            Records = new PullRecords(directory.FullName, time),
            Disk = path => path == "/images" ? disk : throw new IOException(path),
            InfraImage = infra,
            Warn = (reason, message) =>
            {
                warnings.Add($"{reason}: {message}");
                warn?.Invoke(reason);
            },
            Time = time,
            Logger = NullLogger.Instance,
        },
        options ?? new ImageGarbageOptions());
}
