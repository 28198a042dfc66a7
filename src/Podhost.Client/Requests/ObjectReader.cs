using k8s;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Resources;

namespace Podhost.Client.Requests;

/// <summary>Reads objects. Servers leave apiVersion and kind out of list items: they are put back.</summary>
internal static class ObjectReader
{
    internal static T Read<T>(ReadOnlySpan<byte> utf8, ResourceInfo resource) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var obj = ObjectCodec.ToModel<T>(utf8);
        obj.ApiVersion ??= resource.ApiVersion;
        obj.Kind ??= resource.Kind;
        obj.Metadata ??= new V1ObjectMeta();
        return obj;
    }
}
