using k8s.Models;

namespace Podhost.Kubelet.Volumes.Handlers;

/// <summary>One kind of volume.</summary>
internal interface IVolumeHandler
{
    /// <summary>The volume is of this kind.</summary>
    bool Handles(V1Volume volume);

    /// <summary>Containers may only read it.</summary>
    bool IsReadOnly { get; }

    /// <summary>Its files follow objects of the API while it is mounted: <see cref="SetUpAsync"/> is called again.</summary>
    bool Follows { get; }

    /// <summary>Makes the volume ready. Idempotent, also after a crash in the middle.</summary>
    /// <returns>When it must be called again by itself (tokens), or null.</returns>
    /// <exception cref="VolumeSetUpException">It cannot be made ready now.</exception>
    Task<DateTimeOffset?> SetUpAsync(VolumeContext context, CancellationToken cancellationToken);
}

/// <summary>Why a volume cannot be set up; the manager adds the volume's name.</summary>
internal sealed class VolumeSetUpException(string message, string step = VolumeSetUpException.SetUp) : Exception(message)
{
    /// <summary>The step of every failure that is of no other.</summary>
    public const string SetUp = "MountVolume.SetUp failed";

    /// <summary>What failed, as upstream begins its messages.</summary>
    public string Step => step;
}
