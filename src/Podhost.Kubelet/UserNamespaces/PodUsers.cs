using System.Text.Json;
using System.Text.Json.Serialization;
using Podhost.Linux.Files;

namespace Podhost.Kubelet.UserNamespaces;

/// <summary>
/// Gives each pod with users of its own a range of the machine's users that no other pod has. The record is a file in the pod's directory, as
/// upstream's (<c>pods/&lt;uid&gt;/userns</c>): it is there before the range is used, and gone when the directory is, which is after everything
/// of the pod is gone.
/// </summary>
/// <param name="podsDirectory">The directories of the pods, by uid.</param>
/// <param name="range">The users of the machine that pods may have; asked at the first pod that wants any.</param>
/// <param name="idsPerPod">How many a new pod gets (userNamespaces.idsPerPod); a pod that has its range keeps it.</param>
public sealed class PodUsers(string podsDirectory, Func<UserRange> range, uint idsPerPod = UserRange.PerPod)
{
    private const string FileName = "userns";
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Dictionary<string, IdMapping> _used = new(StringComparer.Ordinal);
    private bool _loaded;

    /// <summary>The pod's range: the recorded one, or a new one.</summary>
    /// <param name="podUid">The pod.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="InvalidDataException">A record is damaged, or no range is free.</exception>
    /// <exception cref="IOException">The record cannot be written.</exception>
    public async Task<UserRange> GetOrCreateAsync(string podUid, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            Refresh();
            if (!_used.TryGetValue(podUid, out var mapping))
            {
                mapping = new IdMapping(FirstFree(), 0, idsPerPod);
                await WriteAsync(podUid, mapping, cancellationToken).ConfigureAwait(false);
                _used[podUid] = mapping;
            }

            return new UserRange(mapping.HostId, mapping.Length);
        }
        finally
        {
            _gate.Release();
        }
    }

    // Pods that are gone give their range back; those of an earlier kubelet are read once.
    private void Refresh()
    {
        foreach (var uid in _used.Keys.Where(uid => !File.Exists(PathOf(uid))).ToList())
        {
            _used.Remove(uid);
        }

        if (_loaded)
        {
            return;
        }

        foreach (var directory in Directory.Exists(podsDirectory) ? Directory.EnumerateDirectories(podsDirectory) : [])
        {
            var uid = Path.GetFileName(directory);
            if (Read(PathOf(uid)) is { } mapping)
            {
                _used[uid] = mapping;
            }
        }

        _loaded = true;
    }

    private uint FirstFree()
    {
        var (first, length) = range();
        for (ulong candidate = first; candidate + idsPerPod <= (ulong)first + length; candidate += idsPerPod)
        {
            if (!_used.Values.Any(used => candidate < (ulong)used.HostId + used.Length && used.HostId < candidate + idsPerPod))
            {
                return (uint)candidate;
            }
        }

        throw new InvalidDataException("could not find an empty slot to allocate a user namespace");
    }

    private async Task WriteAsync(string podUid, IdMapping mapping, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.Combine(podsDirectory, podUid));
        var content = JsonSerializer.SerializeToUtf8Bytes(new PodUsersRecord([mapping], [mapping]), PodUsersJson.Default.PodUsersRecord);
        await DurableFile.WriteAsync(PathOf(podUid), content, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Null where the pod has none.</summary>
    private static IdMapping? Read(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            var record = JsonSerializer.Deserialize(File.ReadAllBytes(path), PodUsersJson.Default.PodUsersRecord);
            return record is { UidMappings: [var uids], GidMappings: [var gids] } && uids == gids && uids is { ContainerId: 0, Length: > 0, HostId: > 0 }
                && (ulong)uids.HostId + uids.Length <= 1UL << 32
                ? uids
                : throw new InvalidDataException($"invalid user namespace configuration: {path}: one mapping of id 0 is needed, the same for users and groups");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"invalid user namespace mappings file: {path}: {e.Message}", e);
        }
    }

    private string PathOf(string podUid) => Path.Combine(podsDirectory, podUid, FileName);
}

/// <summary>The record on disk, with upstream's field names.</summary>
internal sealed record PodUsersRecord(IReadOnlyList<IdMapping> UidMappings, IReadOnlyList<IdMapping> GidMappings);

/// <summary>A range of ids of a pod and the range of the machine's ids that it stands for.</summary>
internal readonly record struct IdMapping(uint HostId, uint ContainerId, uint Length);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PodUsersRecord))]
internal sealed partial class PodUsersJson : JsonSerializerContext;
