using System.Text;
using k8s.Models;
using Podhost.Kubelet.Resources;
using Podhost.Kubelet.Sources;

namespace Podhost.Kubelet.Volumes.Payloads;

/// <summary>Makes the payloads of configMap, secret, downwardAPI and projected volumes.</summary>
internal sealed class PayloadSources(IObjectSource objects, ServiceAccountTokens tokens, Func<NodeResources> node)
{
    private const string NoConfigMapKey = "configmap references non-existent config key";
    private const string NoSecretKey = "references non-existent secret key";
    private const int OwnerOnly = 0x180; // 0600

    /// <summary>Reads what a volume refers to now.</summary>
    /// <exception cref="PayloadException">Something that is not optional is missing.</exception>
    public async Task<Payload> ReadAsync(VolumeContext context, CancellationToken cancellationToken) => context.Volume switch
    {
        { ConfigMap: { } map } => new Payload(await ConfigMapAsync(
            context, map.Name, map.Items, map.Optional == true, FileDefaults.Of(map.DefaultMode, map.DefaultUser), cancellationToken).ConfigureAwait(false)),
        { Secret: { } secret } => new Payload(await SecretAsync(
            context, secret.SecretName, secret.Items, secret.Optional == true, FileDefaults.Of(secret.DefaultMode, secret.DefaultUser), cancellationToken).ConfigureAwait(false)),
        { DownwardAPI: { } api } => new Payload(DownwardApiPayload.Files(
            api.Items, context.Pod, node(), FileDefaults.Of(api.DefaultMode, api.DefaultUser))),
        { Projected: { } projected } => await ProjectedAsync(context, projected, cancellationToken).ConfigureAwait(false),
        _ => throw new InvalidOperationException($"volume {context.Volume.Name} has no payload"),
    };

    private async Task<Payload> ProjectedAsync(VolumeContext context, V1ProjectedVolumeSource projected, CancellationToken cancellationToken)
    {
        var files = new Dictionary<string, PayloadFile>(StringComparer.Ordinal);
        var errors = new List<string>();
        DateTimeOffset? refreshAt = null;
        var defaults = FileDefaults.Of(projected.DefaultMode, projected.DefaultUser);
        foreach (var source in projected.Sources ?? [])
        {
            try
            {
                var (part, renewAt) = await PartAsync(context, source, defaults, cancellationToken).ConfigureAwait(false);
                refreshAt = renewAt is null || refreshAt < renewAt ? refreshAt : renewAt;
                foreach (var (path, file) in part)
                {
                    files[path] = file;
                }
            }
            catch (PayloadException e)
            {
                errors.Add(e.Message);
            }
        }

        return errors.Count switch
        {
            0 => new Payload(files, refreshAt),
            1 => throw new PayloadException(errors[0]),
            _ => throw new PayloadException($"[{string.Join(", ", errors.Distinct())}]"),
        };
    }

    private async Task<(Dictionary<string, PayloadFile> Files, DateTimeOffset? RenewAt)> PartAsync(
        VolumeContext context, V1VolumeProjection source, FileDefaults defaults, CancellationToken cancellationToken)
    {
        switch (source)
        {
            case { ConfigMap: { } map }:
                return (await ConfigMapAsync(context, map.Name, map.Items, map.Optional == true, defaults, cancellationToken).ConfigureAwait(false), null);
            case { Secret: { } secret }:
                return (await SecretAsync(context, secret.Name, secret.Items, secret.Optional == true, defaults, cancellationToken).ConfigureAwait(false), null);
            case { DownwardAPI: { } api }:
                return (DownwardApiPayload.Files(api.Items, context.Pod, node(), defaults), null);
            case { ServiceAccountToken: { } token }:
                return await TokenAsync(context, token, defaults, cancellationToken).ConfigureAwait(false);
            default:
                // Refused at admission already (UnsupportedFields); never silently empty.
                throw new PayloadException("the projected source is not supported by this node");
        }
    }

    private async Task<(Dictionary<string, PayloadFile> Files, DateTimeOffset? RenewAt)> TokenAsync(
        VolumeContext context, V1ServiceAccountTokenProjection projection, FileDefaults defaults, CancellationToken cancellationToken)
    {
        var (token, renewAt) = await tokens.GetAsync(context.Pod, projection.Audience, projection.ExpirationSeconds, cancellationToken).ConfigureAwait(false);

        // Where the reader is known, nobody else may read: its user, or (through the group's read bit) its group.
        var mode = context.CommonUser is not null || context.FsGroup is not null ? OwnerOnly : defaults.Mode;
        var file = new PayloadFile(Encoding.UTF8.GetBytes(token), mode, projection.User ?? context.CommonUser ?? defaults.User);
        return (new Dictionary<string, PayloadFile>(StringComparer.Ordinal) { [projection.Path] = file }, renewAt);
    }

    private async Task<Dictionary<string, PayloadFile>> ConfigMapAsync(
        VolumeContext context, string name, IList<V1KeyToPath>? items, bool optional, FileDefaults defaults, CancellationToken cancellationToken)
    {
        var map = await objects.GetConfigMapAsync(context.Namespace, name, cancellationToken).ConfigureAwait(false);
        return map is null
            ? optional ? [] : throw new PayloadException($"configmap \"{name}\" not found")
            : KeyedPayload.Files(KeyedPayload.Data(map), items, defaults, optional, NoConfigMapKey);
    }

    private async Task<Dictionary<string, PayloadFile>> SecretAsync(
        VolumeContext context, string name, IList<V1KeyToPath>? items, bool optional, FileDefaults defaults, CancellationToken cancellationToken)
    {
        var secret = await objects.GetSecretAsync(context.Namespace, name, cancellationToken).ConfigureAwait(false);
        return secret is null
            ? optional ? [] : throw new PayloadException($"secret \"{name}\" not found")
            : KeyedPayload.Files(KeyedPayload.Data(secret), items, defaults, optional, NoSecretKey);
    }
}
