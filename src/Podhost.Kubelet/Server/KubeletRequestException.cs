namespace Podhost.Kubelet.Server;

/// <summary>A request that is answered with an error, as text.</summary>
internal sealed class KubeletRequestException(int code, string message) : Exception(message)
{
    public int Code { get; } = code;

    public static KubeletRequestException BadRequest(string message) => new(400, message);

    public static KubeletRequestException NotFound(string message) => new(404, message);
}
