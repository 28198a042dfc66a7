using Podhost.Runtime.Images.Content;

namespace Podhost.Runtime.Images.Registry;

/// <summary>Pulls an image: resolves the reference at the first endpoint that knows it and assembles what its manifest names.</summary>
internal sealed class ImagePuller : IDisposable
{
    // An index of an index of a manifest: nobody nests deeper.
    private const int MaxIndexDepth = 2;

    private readonly RegistryOptions _options;
    private readonly HttpTransport _transport;
    private readonly TokenClient _tokens;
    private readonly RetryPolicy _retry;
    private readonly ContentStore _content;
    private readonly ImageAssembler _assembler;
    private readonly Action<PullProgress> _progress;
    private readonly KeyedLock _blobLocks = new();

    public ImagePuller(
        RegistryOptions options,
        ContentStore content,
        ImageAssembler assembler,
        Action<PullProgress> progress,
        TimeProvider time,
        Random random)
    {
        _options = options;
        _transport = new HttpTransport(options, time);
        _tokens = new TokenClient(_transport);
        _retry = new RetryPolicy(options, time, random);
        _content = content;
        _assembler = assembler;
        _progress = progress;
    }

    /// <exception cref="ImageException">With a message that begins as containerd's does.</exception>
    public async Task<LocalImage> PullAsync(ImageReference reference, RegistryCredentials credentials, CancellationToken cancellationToken)
    {
        try
        {
            return await PullFromEndpointsAsync(reference, credentials, cancellationToken);
        }
        catch (ImageException e)
        {
            throw e.Wrap($"failed to pull and unpack image \"{reference}\"");
        }
    }

    public void Dispose() => _transport.Dispose();

    private async Task<LocalImage> PullFromEndpointsAsync(
        ImageReference reference,
        RegistryCredentials credentials,
        CancellationToken cancellationToken)
    {
        _progress(new PullProgress(reference.Canonical, PullPhase.Resolving, "", 0, 0));
        foreach (var endpoint in RegistryEndpoint.For(reference.Domain, _options))
        {
            using var session = new RegistrySession(
                endpoint, reference, endpoint.IsUpstream ? credentials : RegistryCredentials.None, _transport, _tokens, _retry);
            ManifestDocument top;
            try
            {
                top = await session.GetManifestAsync(reference.Identifier, cancellationToken);
            }
            catch (ImageException) when (!endpoint.IsUpstream)
            {
                // A mirror may lack an image, be down or want credentials that it does not get: the registry decides.
                continue;
            }
            catch (ImageException e)
            {
                throw e.Wrap($"failed to resolve reference \"{reference}\"");
            }

            return await PullAsync(reference, top, session, cancellationToken);
        }

        throw new InvalidOperationException("a registry has at least one endpoint");
    }

    private async Task<LocalImage> PullAsync(
        ImageReference reference,
        ManifestDocument top,
        RegistrySession session,
        CancellationToken cancellationToken)
    {
        var manifest = top;
        for (var depth = 0; manifest.IsIndex; depth++)
        {
            if (depth == MaxIndexDepth)
            {
                throw new ImageException(ImageError.Invalid, "image index is nested too deeply");
            }

            manifest = await session.GetManifestAsync(manifest.Select(Platform.Host).Digest, cancellationToken);
        }

        var names = new ImageNameSet(
            reference.Digest is null ? [reference.Canonical] : [],
            [reference.WithDigest(top.Digest).Canonical]);
        return await _assembler.AssembleAsync(
            names,
            manifest,
            new RegistryBlobSource(session, _content, _blobLocks),
            (phase, layer, current) => _progress(new PullProgress(reference.Canonical, phase, layer?.Digest ?? "", current, layer?.Size ?? 0)),
            cancellationToken);
    }
}
