using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Grpc.Core;
using Podhost.Cri.V1;

namespace Podhost.Runtime.Images;

/// <summary>Images and failures in CRI's terms.</summary>
internal static class ImageMessages
{
    public static Image ToMessage(LocalImage image)
    {
        var message = new Image
        {
            Id = image.Id,
            RepoTags = { image.RepoTags },
            RepoDigests = { image.RepoDigests },
            Size = (ulong)image.Size,
            Pinned = image.Pinned,
        };

        // "user:group": only the user counts here.
        var user = image.Config.User.Split(':')[0];
        if (long.TryParse(user, NumberStyles.None, CultureInfo.InvariantCulture, out var uid))
        {
            message.Uid = new Int64Value { Value = uid };
        }
        else
        {
            message.Username = user;
        }

        return message;
    }

    /// <summary>The "info" of a verbose status: chain id and configuration.</summary>
    public static string Info(LocalImage image, byte[]? config) => new JsonObject
    {
        ["chainID"] = image.ChainIds.Count > 0 ? image.ChainIds[^1] : "",
        ["manifestDigest"] = image.ManifestDigest,
        ["imageSpec"] = config is null ? null : Parse(config),
    }.ToJsonString();

    public static RpcException ToRpc(ImageException e) => new(new Status(Code(e.Error), e.Message, e));

    // containerd leaves everything but NotFound as Unknown; callers must not depend on more, but a better code harms nobody.
    private static StatusCode Code(ImageError error) => error switch
    {
        ImageError.NotFound => StatusCode.NotFound,
        ImageError.Denied => StatusCode.PermissionDenied,
        ImageError.Invalid => StatusCode.InvalidArgument,
        ImageError.TooLarge => StatusCode.ResourceExhausted,

        // Unavailable would say that this runtime is away.
        _ => StatusCode.Unknown,
    };

    private static JsonNode? Parse(byte[] config)
    {
        try
        {
            return JsonNode.Parse(config);
        }
        catch (JsonException)
        {
            // It was parsed when the image came; the status of an image must not fail because its file was damaged since.
            return null;
        }
    }
}
