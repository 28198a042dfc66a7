using Podhost.Cri.V1;
using Podhost.Runtime.State;
using SandboxStatus = Podhost.Cri.V1.PodSandboxStatus;

namespace Podhost.Runtime;

/// <summary>Records as CRI's messages. Pure.</summary>
internal static class StatusMapper
{
    internal static SandboxStatus Status(Sandbox sandbox)
    {
        var record = sandbox.Record;
        var status = new SandboxStatus
        {
            Id = record.Id,
            Metadata = record.Config.Metadata,
            State = sandbox.State,
            CreatedAt = record.CreatedAt,
            Network = new PodSandboxNetworkStatus { Ip = record.Address ?? string.Empty },
            Linux = new LinuxPodSandboxStatus { Namespaces = new Namespace { Options = record.Namespaces } },
            RuntimeHandler = record.RuntimeHandler,
        };
        status.Network.AdditionalIps.AddRange((record.AdditionalAddresses ?? []).Select(address => new PodIP { Ip = address }));
        status.Labels.Add(record.Config.Labels);
        status.Annotations.Add(record.Config.Annotations);
        return status;
    }

    internal static PodSandbox Item(Sandbox sandbox)
    {
        var record = sandbox.Record;
        var item = new PodSandbox
        {
            Id = record.Id,
            Metadata = record.Config.Metadata,
            State = sandbox.State,
            CreatedAt = record.CreatedAt,
            RuntimeHandler = record.RuntimeHandler,
        };
        item.Labels.Add(record.Config.Labels);
        item.Annotations.Add(record.Config.Annotations);
        return item;
    }

    internal static ContainerStatus Status(State.Container container)
    {
        var record = container.Record;
        var user = new LinuxContainerUser { Uid = record.Uid, Gid = record.Gid };
        user.SupplementalGroups.AddRange(record.Groups.Select(group => (long)group));
        var status = new ContainerStatus
        {
            Id = record.Id,
            Metadata = record.Config.Metadata,
            State = container.State,
            CreatedAt = record.CreatedAt,
            StartedAt = record.StartedAt,
            FinishedAt = record.FinishedAt,
            ExitCode = record.ExitCode,
            Image = Image(record),
            ImageRef = record.ImageRef,
            ImageId = record.ImageId,
            Reason = record.Reason,
            Message = record.Message,
            LogPath = record.LogPath ?? string.Empty,
            Resources = new ContainerResources { Linux = record.Config.Linux?.Resources ?? new LinuxContainerResources() },
            User = new ContainerUser { Linux = user },
            StopSignal = record.Config.StopSignal,
        };
        status.Labels.Add(record.Config.Labels);
        status.Annotations.Add(record.Config.Annotations);
        status.Mounts.AddRange(record.Config.Mounts);
        return status;
    }

    internal static Cri.V1.Container Item(State.Container container)
    {
        var record = container.Record;
        var item = new Cri.V1.Container
        {
            Id = record.Id,
            PodSandboxId = record.SandboxId,
            Metadata = record.Config.Metadata,
            Image = Image(record),
            ImageRef = record.ImageRef,
            ImageId = record.ImageId,
            State = container.State,
            CreatedAt = record.CreatedAt,
        };
        item.Labels.Add(record.Config.Labels);
        item.Annotations.Add(record.Config.Annotations);
        return item;
    }

    /// <summary>All wanted labels are there with these values.</summary>
    internal static bool Matches(IDictionary<string, string> labels, IDictionary<string, string> selector) =>
        selector.All(wanted => labels.TryGetValue(wanted.Key, out var value) && value == wanted.Value);

    // What the user wrote is what the user wants to see again.
    private static ImageSpec Image(ContainerRecord record)
    {
        var image = record.Config.Image.Clone();
        image.Image = image.UserSpecifiedImage.Length > 0 ? image.UserSpecifiedImage : image.Image;
        return image;
    }
}
