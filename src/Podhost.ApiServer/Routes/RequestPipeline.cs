using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Podhost.Api.Errors;
using Podhost.Api.Quantities;
using Podhost.Api.Resources;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.Authz;
using Podhost.ApiServer.Hosting;

namespace Podhost.ApiServer.Routes;

/// <summary>What every request passes: identification, authentication, authorization, a place, its handler; and failures become Statuses.</summary>
internal sealed class RequestPipeline(
    ApiServices services,
    IAuthenticator authenticator,
    IAuthorizer authorizer,
    PlainRoutes plain,
    RequestMetrics metrics,
    ConcurrencyLimiter readers,
    ConcurrencyLimiter writers)
{
    /// <summary>Serves a request that came through a socket.</summary>
    public Task InvokeAsync(HttpContext http) => ServeAsync(http, identity: null);

    /// <summary>Serves a request of a part of this process, whose identity needs no proof.</summary>
    public Task InvokeAsync(HttpContext http, UserInfo identity) => ServeAsync(http, identity);

    private async Task ServeAsync(HttpContext http, UserInfo? identity)
    {
        var started = services.Time.GetTimestamp();
        var request = http.Request;
        var query = request.Query;
        var path = (request.PathBase + request.Path).Value ?? "/";
        var info = RequestInfoParser.Parse(request.Method, path, query["watch"].ToString() is "true" or "1", query["fieldSelector"]);
        var context = new RequestContext(http, info, AuditId(request)) { Resource = info.IsResource ? Find(info) : null };
        http.Response.Headers["Audit-Id"] = context.AuditId;
        http.Response.Headers.CacheControl = "no-cache, private";
        try
        {
            await RunAsync(context, identity);
        }
        catch (Exception e)
        {
            await FailAsync(context, e);
        }
        finally
        {
            var elapsed = services.Time.GetElapsedTime(started);
            metrics.Record(info, context.Resource, http.Response.StatusCode, elapsed);
            ServerLog.RequestServed(services.Log, request.Method, path, context.User.Name, http.Response.StatusCode, elapsed.TotalMilliseconds);
        }
    }

    private async Task RunAsync(RequestContext context, UserInfo? identity)
    {
        context.User = identity ?? await AuthenticateAsync(context);
        context.User = await Impersonation.ApplyAsync(context, authorizer);
        await AuthorizeAsync(context);
        if (ResourceRouter.IsLongRunning(context.Info))
        {
            await HandleAsync(context);
            return;
        }

        using var place = await (context.Info.IsReadOnly ? readers : writers).EnterAsync(context.Aborted);
        await WithDeadlineAsync(context);
    }

    private async Task WithDeadlineAsync(RequestContext context)
    {
        using var deadline = new CancellationTokenSource(Timeout(context), services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, context.Http.RequestAborted);
        var aborted = context.Http.RequestAborted;
        context.Http.RequestAborted = either.Token;
        try
        {
            await HandleAsync(context);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !aborted.IsCancellationRequested)
        {
            throw ApiException.Make(504, "Timeout", "request did not complete within the allotted timeout");
        }
        finally
        {
            context.Http.RequestAborted = aborted;
        }
    }

    // A client may ask for less than the server allows; more, or nothing, is what the server allows.
    private TimeSpan Timeout(RequestContext context)
    {
        var most = services.Options.RequestTimeout;
        if (context.Query("timeout") is not { Length: > 0 } text)
        {
            return most;
        }

        if (!GoDuration.TryParse(text, out var asked))
        {
            throw ApiException.BadRequest($"invalid timeout specified in the request URL - time: invalid duration \"{text}\"");
        }

        return asked > TimeSpan.Zero && asked < most ? asked : most;
    }

    private async ValueTask HandleAsync(RequestContext context)
    {
        if (!context.Info.IsResource)
        {
            await plain.HandleAsync(context);
            return;
        }

        // A custom kind is what its definition says now: a write to it may be one that the caches are still to see.
        var mayBeCustom = context.Resource is null or { Custom: not null } && context.Info.Group.Contains('.', StringComparison.Ordinal);
        if (mayBeCustom && await services.Store.TryCatchUpAsync(context.Aborted))
        {
            context.Resource = Find(context.Info);
        }

        await ResourceRouter.HandleAsync(services, context);
    }

    private ResourceInfo? Find(RequestInfo info) => services.Store.Caches.Resources.Find(info.Group, info.Version, info.Resource);

    private async ValueTask<UserInfo> AuthenticateAsync(RequestContext context)
    {
        var user = await authenticator.AuthenticateAsync(context.Http, context.Aborted);
        if (user is null)
        {
            return services.Options.AllowAnonymous ? UserInfo.Anonymous : throw ApiException.Unauthorized();
        }

        return user.IsIn(UserInfo.Authenticated) || user.IsIn(UserInfo.Unauthenticated)
            ? user
            : user with { Groups = [.. user.Groups, UserInfo.Authenticated] };
    }

    private async ValueTask AuthorizeAsync(RequestContext context)
    {
        var attributes = Attributes(context);
        var decision = await authorizer.AuthorizeAsync(attributes, context.Aborted);
        if (!decision.IsAllowed)
        {
            throw Forbidden(attributes, decision.Reason);
        }
    }

    private static AuthorizationAttributes Attributes(RequestContext context)
    {
        var info = context.Info;
        return new AuthorizationAttributes(context.User, info.Verb)
        {
            IsResourceRequest = info.IsResource,
            Path = info.Path,
            Group = info.Group,
            Version = info.Version,
            Resource = info.Resource,
            Subresource = info.Subresource,
            Namespace = info.Namespace,
            Name = info.Name.Length > 0 ? info.Name : info.SelectedName,
        };
    }

    /// <summary>The refusal of an authorizer, as upstream words it.</summary>
    public static ApiException Forbidden(AuthorizationAttributes a, string reason)
    {
        var why = reason.Length > 0 ? ": " + reason : "";
        if (!a.IsResourceRequest)
        {
            return ApiException.Make(403, "Forbidden", $"forbidden: User \"{a.User.Name}\" cannot {a.Verb} path \"{a.Path}\"{why}");
        }

        var resource = a.Subresource.Length > 0 ? $"{a.Resource}/{a.Subresource}" : a.Resource;
        var scope = a.Namespace.Length > 0 ? $" in the namespace \"{a.Namespace}\"" : " at the cluster scope";
        return ApiException.Forbidden(a.Group, a.Resource, a.Name,
            $"User \"{a.User.Name}\" cannot {a.Verb} resource \"{resource}\" in API group \"{a.Group}\"{scope}{why}");
    }

    private async Task FailAsync(RequestContext context, Exception e)
    {
        var response = context.Http.Response;
        if (e is OperationCanceledException && context.Http.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to read an answer.
            return;
        }

        var error = ToApiException(e);
        if (error.Code == System.Net.HttpStatusCode.InternalServerError)
        {
            ServerLog.RequestFailed(services.Log, e, context.Http.Request.Method, context.Info.Path, context.AuditId);
        }

        if (response.HasStarted)
        {
            // The status line is out: ending the connection is the only way to say that the body is not whole.
            context.Http.Abort();
            return;
        }

        response.Headers.Remove("Content-Encoding");
        try
        {
            await ResponseWriter.WriteErrorAsync(context, error);
        }
        catch (Exception write) when (write is OperationCanceledException or IOException)
        {
            context.Http.Abort();
        }
    }

    private static ApiException ToApiException(Exception e) => e switch
    {
        ApiException known => known,
        BadHttpRequestException { StatusCode: 413 } => ApiException.TooLarge("the request body is too large"),
        BadHttpRequestException bad => ApiException.BadRequest(bad.Message),
        _ => ApiException.Internal(e.Message, e),
    };

    private static string AuditId(HttpRequest request)
    {
        var given = request.Headers["Audit-ID"].ToString();
        return given.Length is > 0 and <= 64 && given.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') ? given : Guid.NewGuid().ToString();
    }
}
