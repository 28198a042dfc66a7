using System.Net;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using Podhost.Api.Errors;
using Podhost.Client;
using Podhost.Hosting;
using Podhost.Kubelet.Server;

namespace Podhost.Tests;

/// <summary>authentication.webhook and authorization of a KubeletConfiguration: whom the API server is asked about, and how long its answers hold.</summary>
public class KubeletAccessReviewTests
{
    private const string Known = """{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","status":{"authenticated":true,"user":{"username":"ann","groups":["dev"]}}}""";
    private const string Unknown = """{"kind":"TokenReview","apiVersion":"authentication.k8s.io/v1","status":{"authenticated":false,"error":"no"}}""";
    private const string Allowed = """{"kind":"SubjectAccessReview","apiVersion":"authorization.k8s.io/v1","status":{"allowed":true}}""";
    private const string Denied = """{"kind":"SubjectAccessReview","apiVersion":"authorization.k8s.io/v1","status":{"allowed":false}}""";
    private readonly FakeTimeProvider _time = new();
    private readonly Questions _api = new();

    private KubeletAccessReview Review(KubeletAccessSettings? settings = null) =>
        new(new ApiClient(new HttpMessageInvoker(_api), new ApiClientOptions { BaseAddress = new Uri("https://api.test") }), settings ?? new KubeletAccessSettings(), _time);

    private static KubeletAccess Access(string user, params string[] groups) => new(new KubeletUser(user, groups), "get", "metrics", "node-1");

    [Fact]
    public async Task A_token_is_asked_about_once_per_cacheTTL_and_its_user_is_authenticated()
    {
        var review = Review(new KubeletAccessSettings { TokenLifetime = TimeSpan.FromSeconds(10) });
        _api.Answer = Known;

        var user = await review.AuthenticateAsync("secret", TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromSeconds(9));
        await review.AuthenticateAsync("secret", TestContext.Current.CancellationToken);
        var within = _api.Bodies.Count;
        _time.Advance(TimeSpan.FromSeconds(2));
        await review.AuthenticateAsync("secret", TestContext.Current.CancellationToken);

        Assert.Equal("ann", user!.Name);
        Assert.Equal(["dev", "system:authenticated"], user.Groups);
        Assert.Equal((1, 2), (within, _api.Bodies.Count));
        Assert.Contains("\"token\":\"secret\"", _api.Bodies[0]);
    }

    [Fact]
    public async Task A_token_that_nobody_knows_is_nobody_and_is_asked_about_again()
    {
        _api.Answer = Unknown;
        var review = Review();
        Assert.Null(await review.AuthenticateAsync("wrong", TestContext.Current.CancellationToken));
        Assert.Null(await review.AuthenticateAsync("wrong", TestContext.Current.CancellationToken));
        Assert.Equal(2, _api.Bodies.Count);
    }

    [Theory]
    [InlineData(true, 300)]
    [InlineData(false, 30)]
    public async Task A_decision_holds_for_its_time(bool allowed, int seconds)
    {
        _api.Answer = allowed ? Allowed : Denied;
        var review = Review();

        Assert.Equal(allowed, await review.AuthorizeAsync(Access("ann", "dev"), TestContext.Current.CancellationToken));
        _time.Advance(TimeSpan.FromSeconds(seconds - 1));
        Assert.Equal(allowed, await review.AuthorizeAsync(Access("ann", "dev"), TestContext.Current.CancellationToken));
        Assert.Single(_api.Bodies);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(allowed, await review.AuthorizeAsync(Access("ann", "dev"), TestContext.Current.CancellationToken));
        Assert.Equal(2, _api.Bodies.Count);
    }

    [Fact]
    public async Task Each_user_and_group_is_asked_about_for_the_subresource_of_this_node()
    {
        _api.Answer = Allowed;
        var review = Review();
        await review.AuthorizeAsync(Access("ann", "dev"), TestContext.Current.CancellationToken);
        await review.AuthorizeAsync(Access("ann", "ops"), TestContext.Current.CancellationToken);
        await review.AuthorizeAsync(Access("bob", "dev"), TestContext.Current.CancellationToken);
        Assert.Equal(3, _api.Bodies.Count);
        Assert.Contains("\"resource\":\"nodes\"", _api.Bodies[0]);
        Assert.Contains("\"subresource\":\"metrics\"", _api.Bodies[0]);
        Assert.Contains("\"name\":\"node-1\"", _api.Bodies[0]);
    }

    [Fact]
    public async Task Nobody_is_asked_about_masters_nor_where_everything_is_allowed()
    {
        Assert.True(await Review().AuthorizeAsync(Access("root", "system:masters"), TestContext.Current.CancellationToken));
        Assert.True(await Review(new KubeletAccessSettings { AlwaysAllow = true }).AuthorizeAsync(Access("ann"), TestContext.Current.CancellationToken));
        Assert.Empty(_api.Bodies);
    }

    [Fact]
    public async Task Without_an_API_server_only_masters_may()
    {
        var review = new KubeletAccessReview(null, new KubeletAccessSettings(), _time);
        Assert.True(await review.AuthorizeAsync(Access("root", "system:masters"), TestContext.Current.CancellationToken));
        Assert.False(await review.AuthorizeAsync(Access("ann", "system:authenticated"), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_API_server_that_refuses_the_question_allows_nothing()
    {
        _api.Code = HttpStatusCode.Forbidden;
        _api.Answer = """{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","message":"no","code":403}""";
        await Assert.ThrowsAsync<ApiException>(() => Review().AuthorizeAsync(Access("ann"), TestContext.Current.CancellationToken));
    }

    private sealed class Questions : HttpMessageHandler
    {
        public List<string> Bodies { get; } = [];

        public string Answer { get; set; } = string.Empty;

        public HttpStatusCode Code { get; set; } = HttpStatusCode.Created;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Bodies.Add(await request.Content!.ReadAsStringAsync(cancellationToken));
            return new HttpResponseMessage(Code) { Content = new StringContent(Answer, Encoding.UTF8, "application/json") };
        }
    }
}
