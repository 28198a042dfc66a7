using k8s.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.Kubelet.Containers.Files;

namespace Podhost.Kubelet.Tests.Logs;

/// <summary>The links that log collectors read.</summary>
public sealed class LogLinksTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("log-links").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void A_link_leads_to_the_log_and_goes_with_it()
    {
        var links = new LogLinks(Path.Combine(root, "pods"), NullLogger.Instance);
        var logs = Directory.CreateDirectory(Path.Combine(root, "pods/ns_web_u1/app")).FullName;
        string[] files = [Path.Combine(logs, "0.log"), Path.Combine(logs, "1.log"), Path.Combine(logs, "2.log")];
        Array.ForEach(files[..2], f => File.WriteAllText(f, f));
        for (var i = 0; i < 3; i++)
        {
            links.Add(Pod("web"), "app", $"c{i}", files[i]);
            links.Add(Pod("web"), "app", $"c{i}", files[i]);
        }

        Assert.Equal(["web_ns_app-c0.log", "web_ns_app-c1.log"], Names());
        Assert.Equal(files[0], File.ReadAllText(Path.Combine(root, "containers/web_ns_app-c0.log")));
        links.Remove(files[0]);
        Assert.Equal(["web_ns_app-c1.log"], Names());
        links.Remove(Path.Combine(root, "pods/ns_web_u2"));
        Assert.Equal(["web_ns_app-c1.log"], Names());
        links.Remove(Path.Combine(root, "pods/ns_web_u1"));
        Assert.Empty(Names());
    }

    [Fact]
    public void A_name_that_is_too_long_is_cut()
    {
        var name = LogLinks.Name(Pod(new string('n', 250)), "app", new string('i', 64));
        Assert.Equal(255, name.Length);
        Assert.EndsWith("n_.log", name, StringComparison.Ordinal);
    }

    private string[] Names() => [.. Directory.GetFiles(Path.Combine(root, "containers")).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    private static V1Pod Pod(string name) => new() { Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = "ns", Uid = "u1" } };
}
