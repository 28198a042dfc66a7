using System.Diagnostics;
using Grpc.Core;
using Podhost.Cri.Client;
using Podhost.Cri.V1;

namespace Podhost.Cri.Tests;

/// <summary>The client against a real containerd in directories of its own.</summary>
public sealed class ContainerdTests
{
    private const string Binary = "/usr/bin/containerd";

    [Fact]
    public async Task ContainerdAnswers()
    {
        Assert.SkipUnless(File.Exists(Binary), "containerd is not installed");
        Assert.SkipUnless(Environment.UserName == "root", "containerd needs root");
        var directory = Directory.CreateTempSubdirectory("podhost-containerd-").FullName;
        var socket = Path.Combine(directory, "containerd.sock");
        var config = Path.Combine(directory, "config.toml");
        await File.WriteAllTextAsync(config, $"version = 2\nroot = \"{directory}/root\"\nstate = \"{directory}/state\"\n[grpc]\naddress = \"{socket}\"\n");
        using var containerd = Process.Start(new ProcessStartInfo(Binary, ["-c", config]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        containerd.ErrorDataReceived += (_, _) => { };
        containerd.OutputDataReceived += (_, _) => { };
        containerd.BeginErrorReadLine();
        containerd.BeginOutputReadLine();
        try
        {
            await using var client = new CriClient(new CriClientOptions { Endpoint = socket }, TimeProvider.System);
            var version = await WaitAsync(client, containerd);
            Assert.Equal("containerd", version.RuntimeName);
            Assert.Equal("v1", version.RuntimeApiVersion);
            var status = await client.Runtime.StatusAsync(new StatusRequest(), CancellationToken.None);
            Assert.Contains(status.Status.Conditions, condition => condition is { Type: "RuntimeReady", Status: true });
            Assert.Empty((await client.Images.ListImagesAsync(new ListImagesRequest(), CancellationToken.None)).Images);
            Assert.Null((await client.Images.ImageStatusAsync(
                new ImageStatusRequest { Image = new ImageSpec { Image = "busybox" } }, CancellationToken.None)).Image);

            var stream = client.Images.StreamImagesAsync(new StreamImagesRequest(), CancellationToken.None).GetAsyncEnumerator();
            var e = await Assert.ThrowsAsync<RpcException>(async () => await stream.MoveNextAsync());
            Assert.Equal(StatusCode.Unimplemented, e.StatusCode);
        }
        finally
        {
            containerd.Kill();
            await containerd.WaitForExitAsync();
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task<VersionResponse> WaitAsync(CriClient client, Process containerd)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await client.Runtime.VersionAsync(new VersionRequest(), CancellationToken.None);
            }
            catch (RpcException e) when (e.StatusCode is StatusCode.Unavailable or StatusCode.Unknown && attempt < 200 && !containerd.HasExited)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            }
        }
    }
}
