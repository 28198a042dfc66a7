using Podhost.Integration.Tests.Instances;
using Podhost.Tests.Shared;

[assembly: AssemblyFixture(typeof(ClusterFixture))]

namespace Podhost.Integration.Tests.Instances;

/// <summary>One instance for all tests, with the sample image under two names.</summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    private Instance? _instance;

    /// <summary>Why nothing can run here; null: it can.</summary>
    public string? CannotRun { get; } = WhyNot();

    /// <summary>The instance.</summary>
    public Instance Instance => _instance ?? throw new InvalidOperationException(CannotRun);

    public async ValueTask InitializeAsync()
    {
        if (CannotRun is null)
        {
            _instance = await Instance.StartAsync();
            await LoadImagesAsync(_instance);
        }
    }

    /// <summary>Builds the sample image and loads it.</summary>
    public static async Task LoadImagesAsync(Instance instance)
    {
        foreach (var name in new[] { "docker.io/arisu1000/simple-container-app:latest", "docker.io/library/busybox:stable" })
        {
            var archive = Path.Combine(instance.Root, "image.tar");
            (await Shell.RunAsync(Path.Combine(Executable.Source, "examples/images/simple-container-app/build.sh"), [archive, name])).Ok();
            await instance.LoadImageAsync(archive);
        }
    }

    public ValueTask DisposeAsync() => _instance?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>Why no container can run on this machine; null: they can.</summary>
    public static string? WhyNot()
    {
        if (Environment.UserName != "root")
        {
            return "real containers need root";
        }

        if (Instance.OnContainerd && ContainerdProcess.WhyNot() is { } why)
        {
            return why;
        }

        return new[] { "kubectl", "busybox", "nft", "conmon" }.FirstOrDefault(c => Shell.Find(c) is null) is { } missing ? $"{missing} is not installed" : null;
    }
}
