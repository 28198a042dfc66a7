using Podhost.Kubelet.UserNamespaces;

namespace Podhost.Kubelet.Tests.UserNamespaces;

public sealed class PodUsersTests : IDisposable
{
    private readonly string _pods = Directory.CreateTempSubdirectory("podhost-users-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_two_pods_have_a_user_of_the_machine_in_common()
    {
        var users = New();
        var ranges = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => users.GetOrCreateAsync($"pod-{i}", Cancel)));
        Assert.Equal(Enumerable.Range(1, 40).Select(i => (uint)i * 65536), ranges.Select(r => r.First).Order());
        Assert.All(ranges, range => Assert.Equal(65536u, range.Length));
    }

    [Fact]
    public async Task A_pod_keeps_its_range_over_a_restart_of_the_kubelet()
    {
        var first = await New().GetOrCreateAsync("a", Cancel);
        var after = New();
        Assert.NotEqual(first, await after.GetOrCreateAsync("b", Cancel));
        Assert.Equal(first, await after.GetOrCreateAsync("a", Cancel));
        Assert.Equal(
            """{"uidMappings":[{"hostId":65536,"containerId":0,"length":65536}],"gidMappings":[{"hostId":65536,"containerId":0,"length":65536}]}""",
            await File.ReadAllTextAsync(Path.Combine(_pods, "a", "userns"), Cancel));
    }

    [Fact]
    public async Task The_range_of_a_pod_that_is_gone_is_given_again()
    {
        var users = New();
        var first = await users.GetOrCreateAsync("a", Cancel);
        var second = await users.GetOrCreateAsync("b", Cancel);
        Directory.Delete(Path.Combine(_pods, "a"), recursive: true);
        Assert.Equal(first, await users.GetOrCreateAsync("c", Cancel));
        Assert.NotEqual(second, await users.GetOrCreateAsync("d", Cancel));
    }

    [Fact]
    public async Task What_a_crash_left_half_written_is_no_range()
    {
        Directory.CreateDirectory(Path.Combine(_pods, "a"));
        await File.WriteAllTextAsync(Path.Combine(_pods, "a", "userns.0123.new"), "{\"uidMap", Cancel);
        Assert.Equal(65536u, (await New().GetOrCreateAsync("b", Cancel)).First);
        Assert.Equal(131072u, (await New().GetOrCreateAsync("a", Cancel)).First);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("""{"uidMappings":[{"hostId":65536,"containerId":1,"length":65536}],"gidMappings":[{"hostId":65536,"containerId":1,"length":65536}]}""")]
    [InlineData("""{"uidMappings":[{"hostId":0,"containerId":0,"length":65536}],"gidMappings":[{"hostId":0,"containerId":0,"length":65536}]}""")]
    [InlineData("""{"uidMappings":[{"hostId":65536,"containerId":0,"length":65536}],"gidMappings":[{"hostId":131072,"containerId":0,"length":65536}]}""")]
    [InlineData("""{"uidMappings":[{"hostId":4294901760,"containerId":0,"length":131072}],"gidMappings":[{"hostId":4294901760,"containerId":0,"length":131072}]}""")]
    public async Task A_damaged_record_gives_nobody_a_range_that_might_be_anothers(string content)
    {
        Directory.CreateDirectory(Path.Combine(_pods, "a"));
        await File.WriteAllTextAsync(Path.Combine(_pods, "a", "userns"), content, Cancel);
        var users = New();
        await Assert.ThrowsAsync<InvalidDataException>(() => users.GetOrCreateAsync("b", Cancel));
        await Assert.ThrowsAsync<InvalidDataException>(() => users.GetOrCreateAsync("a", Cancel));
    }

    [Fact]
    public async Task A_range_that_the_configuration_no_longer_has_stays_its_pods_and_is_no_others()
    {
        await new PodUsers(_pods, () => new UserRange(131072, 65536)).GetOrCreateAsync("old", Cancel);
        var users = new PodUsers(_pods, () => new UserRange(65536, 131072));
        Assert.Equal(131072u, (await users.GetOrCreateAsync("old", Cancel)).First);
        Assert.Equal(65536u, (await users.GetOrCreateAsync("new", Cancel)).First);
        var full = await Assert.ThrowsAsync<InvalidDataException>(() => users.GetOrCreateAsync("more", Cancel));
        Assert.Equal("could not find an empty slot to allocate a user namespace", full.Message);
        Assert.False(File.Exists(Path.Combine(_pods, "more", "userns")));
    }

    [Fact]
    public async Task A_pod_gets_as_many_users_as_the_configuration_says_and_keeps_those_it_has()
    {
        await New().GetOrCreateAsync("old", Cancel);
        var users = new PodUsers(_pods, () => UserRange.Default(131072), 131072);
        Assert.Equal(new UserRange(65536, 65536), await users.GetOrCreateAsync("old", Cancel));
        Assert.Equal(new UserRange(131072, 131072), await users.GetOrCreateAsync("new", Cancel));
        Assert.Equal(new UserRange(262144, 131072), await users.GetOrCreateAsync("next", Cancel));
        Assert.Equal(0u, UserRange.Default(196608).Length % 196608);
        Assert.Equal(new UserRange(131072, 131072), UserRanges.Of("kubelet:x:9:9", "kubelet:131072:131072", "kubelet:131072:131072", 131072));
        Assert.Throws<InvalidDataException>(() => UserRanges.Of("kubelet:x:9:9", "kubelet:65536:131072", "kubelet:65536:131072", 131072));
    }

    [Theory]
    [InlineData("root:x:0:0", "kubelet:131072:65536", "kubelet:131072:65536", 65536u, 4294901760u)] // No such user.
    [InlineData("kubelet:x:9:9", "", "", 65536u, 4294901760u)]
    [InlineData("kubelet:x:9:9", "a:1:2\nkubelet:131072:131072\n", "kubelet:131072:131072", 131072u, 131072u)]
    public void The_users_of_pods_are_those_set_aside_for_the_user_kubelet(string passwd, string subuid, string subgid, uint first, uint length) =>
        Assert.Equal(new UserRange(first, length), UserRanges.Of(passwd, subuid, subgid));

    [Theory]
    [InlineData("kubelet:131072:65536", "kubelet:65536:65536")]
    [InlineData("kubelet:131072:65536\nkubelet:65536:65536", "kubelet:131072:65536\nkubelet:65536:65536")]
    [InlineData("a:131072:65536", "a:131072:65536")]
    [InlineData("kubelet:100000:65536", "kubelet:100000:65536")]
    [InlineData("kubelet:0:65536", "kubelet:0:65536")]
    [InlineData("kubelet:65536:1000", "kubelet:65536:1000")]
    [InlineData("kubelet:4294901760:131072", "kubelet:4294901760:131072")]
    [InlineData("kubelet:x:65536", "kubelet:x:65536")]
    public void Ids_that_hold_no_whole_pods_are_refused(string subuid, string subgid) =>
        Assert.Throws<InvalidDataException>(() => UserRanges.Of("kubelet:x:9:9", subuid, subgid));

    public void Dispose() => Directory.Delete(_pods, recursive: true);

    private PodUsers New() => new(_pods, () => UserRange.Default());
}
