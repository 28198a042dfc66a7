using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Podhost.Cri.V1;
using Podhost.Runtime.Images;
using Podhost.Runtime.Images.Registry;

namespace Podhost.Runtime.Tests.Images;

/// <summary>What happens when registries break, redirect, lie or want tokens.</summary>
public sealed class RegistryBehaviourTests
{
    private static readonly TestImage Big = TestImage.Create(
        [new TestLayer().File("data", Enumerable.Range(0, 1 << 20).Select(i => (byte)(i * 7919 >> 4)).ToArray()).Tar()], TestImage.LayerTar);

    private static string BigLayer => Big.Blobs.Keys.Single(digest => digest != Big.ConfigDigest);

    [Fact]
    public async Task ABrokenDownloadGoesOnWhereItBroke()
    {
        await using var registry = await FakeRegistry.StartAsync();
        await using var node = await TestNode.StartAsync();
        registry.Add("app", Big);
        var broken = 0;
        registry.Intercept = async context =>
        {
            if (!context.Request.Path.Value!.EndsWith(BigLayer) || broken++ >= 4)
            {
                return false;
            }

            var range = context.Request.Headers.Range.ToString();
            var from = range.Length > 0 ? int.Parse(range["bytes=".Length..^1]) : 0;
            await registry.SendBlobAsync(context, Big.Blobs[BigLayer], from, breakAfter: 200_000);
            return true;
        };
        // More breaks than attempts: progress starts the count anew.
        await node.PullAsync($"{registry.Host}/app");
        var ranges = registry.Requests.Where(r => r.Path.EndsWith(BigLayer)).Select(r => r.Range).ToList();
        // What an aborted connection had still in flight is lost, so the offsets are not exact.
        var offsets = ranges.Select(range => range is null ? 0 : int.Parse(range["bytes=".Length..^1])).ToList();
        Assert.Equal(5, offsets.Count);
        Assert.Equal(offsets.Distinct().Order(), offsets);
        Assert.InRange(offsets[^1], 1, 800_000);
    }

    [Fact]
    public async Task APartialDownloadSurvivesARestart()
    {
        await using var registry = await FakeRegistry.StartAsync();
        await using var node = await TestNode.StartAsync();
        registry.Add("app", Big);
        registry.Intercept = async context =>
        {
            if (!context.Request.Path.Value!.EndsWith(BigLayer))
            {
                return false;
            }

            if (context.Request.Headers.Range.Count > 0)
            {
                context.Abort();
                return true;
            }

            await registry.SendBlobAsync(context, Big.Blobs[BigLayer], 0, breakAfter: 300_000);
            return true;
        };
        var failure = await node.FailPullAsync($"{registry.Host}/app");
        Assert.Equal(StatusCode.Unknown, failure.StatusCode);
        var partial = new FileInfo(Path.Combine(node.DataDirectory, "content/ingest", Assert.Single(node.Files("content/ingest")))).Length;
        Assert.Equal(["empty"], node.Files("layers"));

        await node.RestartAsync();
        Assert.Empty(node.Images.Catalog.List());
        registry.Intercept = _ => Task.FromResult(false);
        await node.PullAsync($"{registry.Host}/app");
        var range = registry.Requests.Last(request => request.Path.EndsWith(BigLayer)).Range;
        Assert.Equal($"bytes={partial}-", range);
        Assert.InRange(partial, 1, 300_000);
        Assert.Empty(node.Files("content/ingest"));
    }

    [Fact]
    public async Task AServerWithoutRangesStartsAnew()
    {
        await using var registry = await FakeRegistry.StartAsync();
        await using var node = await TestNode.StartAsync();
        registry.Add("app", Big);
        var first = true;
        registry.Intercept = async context =>
        {
            if (!context.Request.Path.Value!.EndsWith(BigLayer))
            {
                return false;
            }

            await registry.SendBlobAsync(context, Big.Blobs[BigLayer], 0, first ? 100_000 : null);
            first = false;
            return true;
        };
        await node.PullAsync($"{registry.Host}/app");
    }

    [Theory]
    [InlineData("other bytes of the same length")]
    [InlineData("too long")]
    [InlineData("too short")]
    public async Task AWrongBlobIsRefusedAndForgotten(string how)
    {
        await using var registry = await FakeRegistry.StartAsync();
        await using var node = await TestNode.StartAsync();
        registry.Add("app", Big);
        var right = Big.Blobs[BigLayer];
        var wrong = how switch { "too long" => [.. right, 1], "too short" => right[..^1], _ => right.Select(b => (byte)(b ^ 1)).ToArray() };
        registry.Intercept = async context =>
        {
            if (!context.Request.Path.Value!.EndsWith(BigLayer))
            {
                return false;
            }

            context.Response.ContentLength = wrong.Length;
            await context.Response.Body.WriteAsync(wrong);
            return true;
        };
        await node.FailPullAsync($"{registry.Host}/app");
        Assert.Empty(node.Images.Catalog.List());
        Assert.Equal(["empty"], node.Files("layers"));
        Assert.DoesNotContain(BigLayer["sha256:".Length..], node.Files("content/sha256"));

        registry.Intercept = _ => Task.FromResult(false);
        await node.PullAsync($"{registry.Host}/app");
    }

    [Fact]
    public async Task AManifestMustMatchItsDigest()
    {
        await using var registry = await FakeRegistry.StartAsync();
        await using var node = await TestNode.StartAsync();
        registry.Add("app", Big);
        var e = await node.FailPullAsync($"{registry.Host}/app@sha256:{new string('a', 64)}");
        Assert.Contains("unexpected digest", e.Status.Detail);
    }

    [Fact]
    public async Task TransientFailuresAreRetriedAndBounded()
    {
        await using var registry = await FakeRegistry.StartAsync();
        await using var node = await TestNode.StartAsync();
        registry.Add("app", Big);
        var failures = 2;
        registry.Intercept = context =>
        {
            var fails = failures-- > 0;
            context.Response.StatusCode = fails ? 503 : 200;
            return Task.FromResult(fails);
        };
        await node.PullAsync($"{registry.Host}/app");

        failures = int.MaxValue;
        registry.Requests.Clear();
        var e = await node.FailPullAsync($"{registry.Host}/app");
        Assert.Equal(3, registry.Requests.Count);
        Assert.Contains("503 Service Unavailable", e.Status.Detail);
    }

    [Fact]
    public async Task EndlessManifestsAreCut()
    {
        await using var registry = await FakeRegistry.StartAsync();
        await using var node = await TestNode.StartAsync();
        registry.Intercept = async context =>
        {
            var zeros = new byte[64 * 1024];
            for (var i = 0; i < 1000 && !context.RequestAborted.IsCancellationRequested; i++)
            {
                await context.Response.Body.WriteAsync(zeros);
            }

            return true;
        };
        Assert.Equal(StatusCode.ResourceExhausted, (await node.FailPullAsync($"{registry.Host}/app")).StatusCode);
    }

    [Fact]
    public async Task CredentialsStayWithTheirHostOnRedirects()
    {
        await using var storage = await FakeRegistry.StartAsync();
        await using var registry = await FakeRegistry.StartAsync();
        await using var node = await TestNode.StartAsync();
        registry.Add("app", Big);
        storage.Add("app", Big);
        registry.Intercept = context =>
        {
            if (context.Request.Headers.Authorization.Count == 0)
            {
                context.Response.StatusCode = 401;
                context.Response.Headers.WWWAuthenticate = "Basic realm=\"test\"";
                return Task.FromResult(true);
            }

            if (context.Request.Path.Value!.Contains("/blobs/"))
            {
                context.Response.Redirect($"http://{storage.Host}{context.Request.Path}");
                return Task.FromResult(true);
            }

            return Task.FromResult(false);
        };
        await node.PullAsync($"{registry.Host}/app", new AuthConfig { Username = "u", Password = "p" });
        Assert.Equal(2, storage.Requests.Count);
        Assert.All(storage.Requests, request => Assert.Null(request.Authorization));
    }

    [Fact]
    public async Task RedirectLoopsEnd()
    {
        await using var registry = await FakeRegistry.StartAsync();
        await using var node = await TestNode.StartAsync();
        registry.Intercept = context =>
        {
            context.Response.Redirect(context.Request.Path);
            return Task.FromResult(true);
        };
        Assert.Contains("redirects", (await node.FailPullAsync($"{registry.Host}/app")).Status.Detail);
    }

    [Theory]
    [InlineData("token")]
    [InlineData("access_token")]
    public async Task TokensAreFetchedWithTheCredentials(string field)
    {
        await using var registry = await FakeRegistry.StartAsync();
        await using var node = await TestNode.StartAsync();
        registry.Add("team/app", Big);
        string? query = null;
        registry.Intercept = async context =>
        {
            if (context.Request.Path == "/token")
            {
                query = context.Request.QueryString.Value;
                await context.Response.WriteAsync($$"""{"{{field}}":"let-me-in"}""");
                return true;
            }

            if (context.Request.Headers.Authorization == "Bearer let-me-in")
            {
                return false;
            }

            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate =
                $"Bearer realm=\"http://{registry.Host}/token\",service=\"the service\",scope=\"repository:team/app:pull\"";
            return true;
        };
        await node.PullAsync($"{registry.Host}/team/app", new AuthConfig { Username = "u", Password = "p" });
        var asked = registry.Requests.Single(request => request.Path == "/token");
        Assert.Equal("Basic " + Convert.ToBase64String("u:p"u8), asked.Authorization);
        Assert.Equal("?service=the%20service&scope=repository%3Ateam%2Fapp%3Apull&account=u", query);
    }

    [Fact]
    public async Task AnIdentityTokenIsExchangedAndARegistryTokenSentAsItIs()
    {
        await using var registry = await FakeRegistry.StartAsync();
        await using var node = await TestNode.StartAsync();
        registry.Add("app", Big);
        string? form = null;
        registry.Intercept = async context =>
        {
            if (context.Request.Path == "/token")
            {
                form = await new StreamReader(context.Request.Body).ReadToEndAsync();
                await context.Response.WriteAsync("""{"access_token":"ticket"}""");
                return true;
            }

            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"http://{registry.Host}/token\",service=\"s\"";
            return context.Request.Headers.Authorization != "Bearer ticket";
        };
        // The interceptor leaves 401 set where it lets a request through.
        var inner = registry.Intercept;
        registry.Intercept = async context =>
        {
            var answered = await inner(context);
            if (!answered)
            {
                context.Response.StatusCode = 200;
                context.Response.Headers.Remove("WWW-Authenticate");
            }

            return answered;
        };
        await node.PullAsync($"{registry.Host}/app", new AuthConfig { IdentityToken = "refresh" });
        Assert.Contains("grant_type=refresh_token", form);
        Assert.Contains("refresh_token=refresh", form);
        Assert.Contains("scope=repository%3Aapp%3Apull", form);

        registry.Requests.Clear();
        await node.PullAsync($"{registry.Host}/app", new AuthConfig { RegistryToken = "ticket" });
        Assert.All(registry.Requests, request => Assert.Equal("Bearer ticket", request.Authorization));
    }

    [Theory]
    [InlineData("not a url")]
    [InlineData("ftp://127.0.0.1/token")]
    [InlineData("http://user:pw@127.0.0.1/token")]
    [InlineData("file:///etc/passwd")]
    public async Task StrangeRealmsAreRefused(string realm)
    {
        await using var registry = await FakeRegistry.StartAsync();
        await using var node = await TestNode.StartAsync();
        registry.Intercept = context =>
        {
            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"{realm}\"";
            return Task.FromResult(true);
        };
        var e = await node.FailPullAsync($"{registry.Host}/app", new AuthConfig { Username = "u", Password = "p" });
        Assert.Equal(StatusCode.PermissionDenied, e.StatusCode);
        Assert.Contains("realm", e.Status.Detail);
    }

    [Fact]
    public void AnEncryptedRegistryCannotSendCredentialsToAPlainRealm()
    {
        var challenge = new Challenge("Bearer", new Dictionary<string, string> { ["realm"] = "http://auth.example/token" });
        var endpoint = new RegistryEndpoint(new Uri("https://registry.example/"), IsUpstream: true);
        using var transport = new HttpTransport(new RegistryOptions(), TimeProvider.System);
        var e = Assert.Throws<ImageException>(() =>
            { _ = new TokenClient(transport).GetAsync(challenge, endpoint, "app", RegistryCredentials.None, CancellationToken.None).GetAwaiter().GetResult(); });
        Assert.Equal(ImageError.Denied, e.Error);
    }

    [Fact]
    public async Task MirrorsAreAskedFirstWithoutCredentials()
    {
        await using var mirror = await FakeRegistry.StartAsync();
        await using var registry = await FakeRegistry.StartAsync();
        await using var node = await TestNode.StartAsync(options => options with
        {
            Mirrors = new Dictionary<string, IReadOnlyList<string>> { [registry.Host] = ["http://127.0.0.1:1", $"http://{mirror.Host}"] },
        });
        registry.Add("both", Big);
        registry.Add("upstream", Big);
        mirror.Add("both", Big);
        await node.PullAsync($"{registry.Host}/both", new AuthConfig { RegistryToken = "secret" });
        Assert.Empty(registry.Requests);
        Assert.All(mirror.Requests, request => Assert.Null(request.Authorization));
        Assert.NotNull(await node.StatusAsync($"{registry.Host}/both"));

        await node.PullAsync($"{registry.Host}/upstream");
        Assert.NotEmpty(registry.Requests);
    }

    [Fact]
    public async Task CancellationEndsAPullAndLeavesNoImage()
    {
        await using var registry = await FakeRegistry.StartAsync();
        await using var node = await TestNode.StartAsync();
        registry.Add("app", Big);
        using var cancel = new CancellationTokenSource();
        registry.Intercept = async context =>
        {
            if (!context.Request.Path.Value!.EndsWith(BigLayer))
            {
                return false;
            }

            await context.Response.Body.WriteAsync(Big.Blobs[BigLayer].AsMemory(0, 1000));
            await context.Response.Body.FlushAsync();
            await cancel.CancelAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ContinueWith(_ => { });
            return true;
        };
        var request = new PullImageRequest { Image = new ImageSpec { Image = $"{registry.Host}/app" } };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => node.Images.Service.PullImageAsync(request, cancel.Token));
        Assert.Empty(node.Images.Catalog.List());
    }

    [Fact]
    public async Task AStalledRegistryIsGivenUp()
    {
        await using var registry = await FakeRegistry.StartAsync();
        await using var node = await TestNode.StartAsync(options => options with { StallTimeout = TimeSpan.FromMilliseconds(100), MaxAttempts = 2 });
        registry.Intercept = async context =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ContinueWith(_ => { });
            return true;
        };
        Assert.Contains("no response", (await node.FailPullAsync($"{registry.Host}/app")).Status.Detail);
        Assert.Equal(2, registry.Requests.Count);
    }

    [Theory]
    [InlineData("registry.example", "https://registry.example/")]
    [InlineData("docker.io", "https://registry-1.docker.io/")]
    [InlineData("plain.example:5000", "http://plain.example:5000/")]
    [InlineData("localhost:5000", "http://localhost:5000/")]
    [InlineData("127.1.2.3", "http://127.1.2.3/")]
    [InlineData("localhost:443", "https://localhost/")]
    public void TheSchemeFollowsFromTheHost(string domain, string expected)
    {
        var options = new RegistryOptions { InsecureRegistries = new HashSet<string> { "plain.example:5000" } };
        Assert.Equal(expected, RegistryEndpoint.For(domain, options)[^1].Base.ToString());
    }
}
