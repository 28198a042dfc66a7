using Microsoft.Extensions.Time.Testing;
using Podhost.Streaming.Server;

namespace Podhost.Streaming.Tests.Server;

public sealed class SessionTokensTests
{
    private readonly FakeTimeProvider time = new();

    [Fact]
    public void A_token_serves_once_and_only_its_kind()
    {
        var tokens = new SessionTokens(TimeSpan.FromMinutes(1), 10, time);
        var token = tokens.Add(new AttachSession("c", false, true, true, true));
        Assert.Null(tokens.Take<ExecSession>(token));
        Assert.Equal("c", tokens.Take<AttachSession>(token)?.ContainerId);
        Assert.Null(tokens.Take<AttachSession>(token));
    }

    [Fact]
    public void A_token_expires()
    {
        var tokens = new SessionTokens(TimeSpan.FromMinutes(1), 10, time);
        var token = tokens.Add(new PortForwardSession("s", []));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Null(tokens.Take<PortForwardSession>(token));
    }

    [Fact]
    public void Waiting_tokens_are_bounded_and_expired_ones_make_room()
    {
        var tokens = new SessionTokens(TimeSpan.FromMinutes(1), 2, time);
        tokens.Add(new PortForwardSession("s", []));
        tokens.Add(new PortForwardSession("s", []));
        Assert.Throws<StreamingCapacityException>(() => tokens.Add(new PortForwardSession("s", [])));
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.NotEmpty(tokens.Add(new PortForwardSession("s", [])));
    }
}
