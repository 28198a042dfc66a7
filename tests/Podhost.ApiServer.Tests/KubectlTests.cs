using System.Diagnostics;
using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests;

/// <summary>Unmodified kubectl over TLS.</summary>
public sealed class KubectlTests : IAsyncLifetime
{
    private readonly TlsServer _server = new();

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/kubectl") || File.Exists("/usr/local/bin/kubectl"), "kubectl is not installed");
        await _server.StartAsync();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Creates_gets_applies_patches_and_deletes()
    {
        Assert.Equal("configmap/a created\n", await KubectlAsync("create configmap a --from-literal=k=v"));
        Assert.Equal("v", await KubectlAsync("get configmap a -o jsonpath={.data.k}"));
        Assert.Matches(@"NAME\s+DATA\s+AGE\na\s+1\s+\d+s\n", await KubectlAsync("get configmaps"));
        Assert.Equal("configmap/a labeled\n", await KubectlAsync("label configmap a x=y"));
        Assert.Equal("configmap/a patched\n", await KubectlAsync("patch configmap a -p {\"data\":{\"k\":\"w\"}}"));
        Assert.Equal("configmap/a\n", await KubectlAsync("get configmap -l x=y -o name"));
        Assert.Equal("configmap \"a\" deleted\n", await KubectlAsync("delete configmap a"));
        Assert.Contains("Error from server (NotFound): configmaps \"a\" not found", await KubectlAsync("get configmap a", expectFailure: true));
    }

    [Fact]
    public async Task Shows_pods_as_a_table()
    {
        await KubectlAsync("apply -f - --validate=false", stdin: Cluster.Pod("p"));
        Assert.Matches(@"NAME\s+READY\s+STATUS\s+RESTARTS\s+AGE\np\s+0/1\s+Pending\s+0\s+\d+s\n", await KubectlAsync("get pods"));
        Assert.Matches("^Name: +p\n", await KubectlAsync("describe pod p"));
        Assert.Contains("pods", await KubectlAsync("api-resources"));
        Assert.Equal("pod \"p\" deleted\n", await KubectlAsync("delete pod p"));
    }

    [Fact]
    public async Task Watches_what_comes_after_the_list()
    {
        await KubectlAsync("create configmap a");
        using var process = Start("get configmaps --watch -o name");
        process.StandardInput.Close();
        try
        {
            // The watch resumes from the list's revision, so nothing can fall between the two.
            Assert.Equal("configmap/a", await process.StandardOutput.ReadLineAsync(Cluster.Deadline));
            await KubectlAsync("create configmap b");
            Assert.Equal("configmap/b", await process.StandardOutput.ReadLineAsync(Cluster.Deadline));
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync(Cluster.Deadline);
        }
    }

    private async Task<string> KubectlAsync(string arguments, string? stdin = null, bool expectFailure = false)
    {
        using var process = Start(arguments);
        await process.StandardInput.WriteAsync(stdin ?? "");
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(Cluster.Deadline);
        var error = process.StandardError.ReadToEndAsync(Cluster.Deadline);
        await process.WaitForExitAsync(Cluster.Deadline);
        Assert.True(process.ExitCode == 0 != expectFailure, await error);
        return expectFailure ? await error : await output;
    }

    private Process Start(string arguments) => Process.Start(new ProcessStartInfo("kubectl", arguments.Split(' '))
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        RedirectStandardInput = true,
        Environment = { ["KUBECONFIG"] = _server.Kubeconfig, ["HOME"] = Path.GetDirectoryName(_server.Kubeconfig)! },
    })!;
}
