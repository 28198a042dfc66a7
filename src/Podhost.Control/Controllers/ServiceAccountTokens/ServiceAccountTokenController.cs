using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Client.Informers;
using Podhost.Client.Queues;

namespace Podhost.Control.Controllers.ServiceAccountTokens;

/// <summary>
/// Secrets of type kubernetes.io/service-account-token: fills in token, ca.crt and namespace, removes those whose account is gone, and the references of an
/// account to those that are gone. Source: upstream's tokens controller.
/// </summary>
public sealed partial class ServiceAccountTokenController : IController
{
    private readonly IApiClient _client;
    private readonly IInformer<V1Secret> _secrets;
    private readonly IInformer<V1ServiceAccount> _accounts;
    private readonly string _rootCa;
    private readonly Func<V1ServiceAccount, V1Secret, string> _sign;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    /// <summary>A controller.</summary>
    /// <param name="client">Writes.</param>
    /// <param name="secrets">All Secrets.</param>
    /// <param name="accounts">All service accounts.</param>
    /// <param name="rootCa">PEM of the certificate authority.</param>
    /// <param name="sign">Makes the token of an account that a Secret holds.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logs">Logs.</param>
    public ServiceAccountTokenController(
        IApiClient client,
        IInformer<V1Secret> secrets,
        IInformer<V1ServiceAccount> accounts,
        string rootCa,
        Func<V1ServiceAccount, V1Secret, string> sign,
        TimeProvider time,
        ILoggerFactory logs)
    {
        (_client, _secrets, _accounts, _rootCa, _sign, _time) = (client, secrets, accounts, rootCa, sign, time);
        _log = logs.CreateLogger<ServiceAccountTokenController>();
    }

    /// <inheritdoc />
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_secrets.Synced, _accounts.Synced).WaitAsync(cancellationToken);
        using var queue = new WorkQueue<TokenSecret>(new WorkQueueOptions(), _time, _log);
        using var secrets = _secrets.Subscribe(e =>
        {
            if (e.Object.Type == TokenSecretRules.Type)
            {
                queue.Add(TokenSecret.Of(e.Object));
            }
        });
        using var accounts = _accounts.Subscribe(e =>
        {
            if (e.Type == WatchEventKind.Deleted)
            {
                AddSecretsOf(queue, e.Object);
            }
        });
        await queue.RunAsync(2, ReconcileAsync, cancellationToken);
    }

    private void AddSecretsOf(WorkQueue<TokenSecret> queue, V1ServiceAccount account)
    {
        foreach (var secret in _secrets.List().Where(s => s.Metadata.NamespaceProperty == account.Metadata.NamespaceProperty && TokenSecretRules.IsFor(s, account)))
        {
            queue.Add(TokenSecret.Of(secret));
        }
    }

    private async Task ReconcileAsync(TokenSecret key, CancellationToken cancellationToken)
    {
        try
        {
            if (_secrets.Get(key.Namespace, key.Name) is not { } secret || secret.Metadata.Uid != key.Uid)
            {
                await ForgetAsync(key, cancellationToken);
            }
            else if (await AccountAsync(key, cancellationToken) is not { } account)
            {
                await _client.DeleteAsync<V1Secret>(
                    key.Namespace, key.Name, new V1DeleteOptions { Preconditions = new V1Preconditions { Uid = key.Uid } }, cancellationToken);
                LogRemoved(key.Namespace, key.Name, key.Account);
            }
            else if (TokenSecretRules.NeedsUpdate(secret, _rootCa))
            {
                await CompleteAsync(secret, account, cancellationToken);
            }
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict)
        {
            // Gone, or changed since: the informer tells, and the key comes back.
        }
    }

    private async Task CompleteAsync(V1Secret seen, V1ServiceAccount account, CancellationToken cancellationToken)
    {
        var secret = await _client.GetAsync<V1Secret>(seen.Metadata.NamespaceProperty, seen.Metadata.Name, cancellationToken);
        if (secret.Metadata.ResourceVersion == seen.Metadata.ResourceVersion && TokenSecretRules.NeedsUpdate(secret, _rootCa))
        {
            TokenSecretRules.Complete(secret, account, _rootCa, _sign);
            await _client.UpdateAsync(secret, null, cancellationToken);
        }
    }

    // The copy may be behind: before a Secret is removed the server is asked.
    private async Task<V1ServiceAccount?> AccountAsync(TokenSecret key, CancellationToken cancellationToken)
    {
        if (_accounts.Get(key.Namespace, key.Account) is { } known && key.IsOf(known))
        {
            return known;
        }

        try
        {
            var account = await _client.GetAsync<V1ServiceAccount>(key.Namespace, key.Account, cancellationToken);
            return key.IsOf(account) ? account : null;
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    // Conflicts are met again by the caller's queue: the account changed, which nothing here is told of.
    private async Task ForgetAsync(TokenSecret key, CancellationToken cancellationToken)
    {
        if (_accounts.Get(key.Namespace, key.Account) is not { } known || !key.IsOf(known) || known.Secrets?.Any(s => s.Name == key.Name) != true)
        {
            return;
        }

        var account = await _client.GetAsync<V1ServiceAccount>(key.Namespace, key.Account, cancellationToken);
        if (key.IsOf(account) && account.Secrets?.Any(s => s.Name == key.Name) == true)
        {
            account.Secrets = [.. account.Secrets.Where(s => s.Name != key.Name)];
            try
            {
                await _client.UpdateAsync(account, null, cancellationToken);
            }
            catch (ApiException e) when (e.IsConflict)
            {
                throw new InvalidOperationException($"service account {key.Namespace}/{key.Account} changed while a reference was taken away", e);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Removed the token secret {Namespace}/{Name}: there is no service account {Account}")]
    private partial void LogRemoved(string @namespace, string name, string account);

    /// <summary>A token Secret, and the account that it is for: what is needed of it when it is gone.</summary>
    private readonly record struct TokenSecret(string Namespace, string Name, string Uid, string Account, string AccountUid)
    {
        public static TokenSecret Of(V1Secret secret)
        {
            var (account, uid) = TokenSecretRules.AccountOf(secret);
            return new TokenSecret(secret.Metadata.NamespaceProperty, secret.Metadata.Name, secret.Metadata.Uid, account, uid);
        }

        public bool IsOf(V1ServiceAccount account) => account.Metadata.Name == Account && (AccountUid.Length == 0 || account.Metadata.Uid == AccountUid);
    }
}
