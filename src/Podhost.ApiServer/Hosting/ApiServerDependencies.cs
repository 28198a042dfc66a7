using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.ApiServer.Admission;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.Authz;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.ServiceAccounts;
using Podhost.ApiServer.Streaming;
using Podhost.ApiServer.WatchCache;
using Podhost.Storage.Contract;

namespace Podhost.ApiServer.Hosting;

/// <summary>What an API server is made of. Parts that need to look up objects are given as functions of the server's reader.</summary>
public sealed record ApiServerDependencies
{
    /// <summary>The store; stays the caller's to dispose.</summary>
    public required IStore Store { get; init; }

    /// <summary>Makes the authenticator; without one every request from a socket is anonymous.</summary>
    public Func<IObjectReader, IAuthenticator> Authenticator { get; init; } = _ => new StaticAuthenticator(null);

    /// <summary>Makes the authorizer; without one only system:masters may do anything.</summary>
    public Func<IObjectReader, IAuthorizer> Authorizer { get; init; } = _ => new MastersAuthorizer();

    /// <summary>Makes the admission plugins, in the order in which they run.</summary>
    public Func<IObjectReader, IReadOnlyList<IAdmissionPlugin>> AdmissionPlugins { get; init; } = _ => [];

    /// <summary>Makes what answers reviews and token requests; a review that nobody handles is answered 404.</summary>
    public Func<IObjectReader, IAuthorizer, IAuthenticator, IReadOnlyList<IReviewHandler>> ReviewHandlers { get; init; } = (_, _, _) => [];

    /// <summary>Makes what reaches kubelets; null refuses log, exec, attach, portforward and proxy with 503.</summary>
    public Func<IObjectReader, IPodConnector>? PodConnector { get; init; }

    /// <summary>What signs tokens of service accounts: its issuer and public key are shown to those who check tokens. Null shows nothing.</summary>
    public TokenCodec? Tokens { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Logs.</summary>
    public ILoggerFactory Logs { get; init; } = NullLoggerFactory.Instance;
}
