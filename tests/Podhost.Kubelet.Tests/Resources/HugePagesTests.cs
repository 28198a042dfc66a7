using Podhost.Kubelet.Node;
using Podhost.Kubelet.Tests.Support;
using Podhost.Kubelet.Volumes.Handlers;

namespace Podhost.Kubelet.Tests.Resources;

/// <summary>Huge pages: what the node has of them, and which ones a volume is made of.</summary>
public sealed class HugePagesTests : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("podhost-pages-");

    public void Dispose() => directory.Delete(recursive: true);

    [Fact]
    public void Every_size_is_told_with_the_pages_that_are_set_aside()
    {
        foreach (var (size, pages) in new[] { ("2048", "5\n"), ("1048576", "0\n"), ("64", "16\n") })
        {
            File.WriteAllText(Path.Combine(directory.CreateSubdirectory($"hugepages-{size}kB").FullName, "nr_hugepages"), pages);
        }

        directory.CreateSubdirectory("else");
        Assert.Equal(
            ["hugepages-1Gi=0", "hugepages-2Mi=10485760", "hugepages-64Ki=1048576"],
            HugePages.Read(directory.FullName).Select(p => $"{p.Key}={p.Value}").Order(StringComparer.Ordinal));
        Assert.Empty(HugePages.Read(Path.Combine(directory.FullName, "none")));
    }

    [Theory]
    [InlineData("HugePages", "2Mi", 2097152, null)]
    [InlineData("HugePages-1Gi", "1Gi 2Mi", 1073741824, null)]
    [InlineData("HugePages-2048Ki", "2Mi", 2097152, null)]
    [InlineData("HugePages", "", 0, "hugePages storage requested, but there is no resource request for huge pages")]
    [InlineData("HugePages", "2Mi 1Gi", 0, "medium: HugePages can't be used if container requests multiple huge page sizes")]
    [InlineData("HugePages-1Gi", "2Mi", 0, "medium HugePages-1Gi: hugePages storage requested, but there is no resource request for huge pages of this size")]
    public void A_volume_has_pages_of_a_size_that_the_pod_asks_for(string medium, string asked, long bytes, string? error)
    {
        var amounts = string.Join(", ", asked.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(size => $"hugepages-{size}: {size}"));
        var pod = Objects.Pod($"containers: [{{name: a, resources: {{requests: {{{amounts}}}, limits: {{{amounts}}}}}}}]");
        Assert.True(EmptyDirHandler.IsHugePages(medium));
        if (error is null)
        {
            Assert.Equal(bytes, EmptyDirHandler.PageSize(pod, medium));
        }
        else
        {
            Assert.Equal(error, Assert.Throws<VolumeSetUpException>(() => EmptyDirHandler.PageSize(pod, medium)).Message);
        }
    }
}
