namespace Podhost.Kubelet.Volumes.Payloads;

/// <summary>A file of a volume that the kubelet writes.</summary>
/// <param name="Content">Its bytes.</param>
/// <param name="Mode">Permissions.</param>
/// <param name="User">Owner; null is root.</param>
internal sealed record PayloadFile(ReadOnlyMemory<byte> Content, int Mode, long? User = null);

/// <summary>All files of such a volume by relative path.</summary>
/// <param name="Files">The files.</param>
/// <param name="RefreshAt">When something in it must be made anew (tokens), or null.</param>
internal sealed record Payload(IReadOnlyDictionary<string, PayloadFile> Files, DateTimeOffset? RefreshAt = null);

/// <summary>A payload that cannot be made now.</summary>
internal sealed class PayloadException(string message) : Exception(message);
