using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Podhost.Client;
using Podhost.Kubelet.Certificates;

namespace Podhost.Kubelet.Tests.Certificates;

/// <summary>A kubelet's certificate over its life: asked for, kept, renewed before it ends, and asked for again where the answer is none.</summary>
public sealed class CertificateKeeperTests : IDisposable
{
    private static readonly TimeSpan Life = TimeSpan.FromDays(100);
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly string _directory = Directory.CreateTempSubdirectory("podhost-keeper").FullName;
    private readonly Authority _authority;

    public CertificateKeeperTests() => _authority = new Authority(_time);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private string File => Path.Combine(_directory, "pki", "client.pem");

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private CertificateKeeper Keeper(string node = "n1") => new(File, CertificateTerms.Client(node), _time, new Random(1), NullLogger.Instance);

    [Fact]
    public async Task A_certificate_is_asked_for_once_and_found_again_by_the_next_start()
    {
        var keeper = Keeper();
        Assert.False(keeper.Load());
        await keeper.ObtainAsync(_authority.Client, Ct);

        Assert.Contains("system:node:n1", keeper.Current!.Subject, StringComparison.Ordinal);
        Assert.True(keeper.Current.HasPrivateKey);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
        Assert.True(Keeper().Load());
        Assert.Equal(1, _authority.Asked);
    }

    [Fact]
    public async Task It_is_renewed_when_seven_to_nine_tenths_of_its_life_have_passed()
    {
        var keeper = Keeper();
        await keeper.ObtainAsync(_authority.Client, Ct);
        var first = keeper.Current!.SerialNumber;
        var renewed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        keeper.Renewed += _ => renewed.TrySetResult();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var running = keeper.RunAsync(_authority.Client, stop.Token);

        // In steps no longer than the timer's longest wait; nothing happens before seven tenths.
        for (var day = 0; day < 69; day++)
        {
            _time.Advance(TimeSpan.FromDays(1));
        }

        Assert.Equal((first, 1), (keeper.Current.SerialNumber, _authority.Asked));
        for (var day = 0; day < 22 && !renewed.Task.IsCompleted; day++)
        {
            _time.Advance(TimeSpan.FromDays(1));
            await Task.Yield();
        }

        await renewed.Task.WaitAsync(TimeSpan.FromSeconds(30), Ct);
        Assert.Equal(2, _authority.Asked);
        Assert.NotEqual(first, keeper.Current.SerialNumber);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task A_refusal_is_asked_about_again_later_and_the_former_certificate_stays()
    {
        var keeper = Keeper();
        _authority.Denials = 2;
        var obtained = keeper.ObtainAsync(_authority.Client, Ct);
        await _authority.SeenAsync(1);
        Assert.Null(keeper.Current);
        await AdvanceUntilAsync(obtained);
        Assert.Equal(3, _authority.Asked);
        Assert.NotNull(keeper.Current);
    }

    [Fact]
    public async Task One_that_has_ended_or_is_of_another_machine_is_not_taken()
    {
        await Keeper().ObtainAsync(_authority.Client, Ct);
        var serving = new CertificateKeeper(File, CertificateTerms.Serving("n1", [IPAddress.Parse("10.0.0.1")]), _time, new Random(1), NullLogger.Instance);
        Assert.False(serving.Load()); // names nothing that it is asked for
        _time.Advance(Life + TimeSpan.FromMinutes(1));
        Assert.False(Keeper().Load());
        await System.IO.File.WriteAllTextAsync(File, "-----BEGIN CERTIFICATE-----\nbroken\n", Ct);
        Assert.False(Keeper().Load());
    }

    // The keeper waits on the clock for a time that grows: the clock goes on until it has what it wants.
    private async Task AdvanceUntilAsync(Task task)
    {
        for (var i = 0; i < 10_000 && !task.IsCompleted; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(1, Ct);
        }

        await task.WaitAsync(TimeSpan.FromSeconds(30), Ct);
    }

    /// <summary>An API server that decides on each request at once.</summary>
    private sealed class Authority : HttpMessageHandler
    {
        private readonly TimeProvider _time;
        private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        private readonly X509Certificate2 _certificate;
        private readonly SemaphoreSlim _seen = new(0);
        private int _asked;

        public Authority(TimeProvider time)
        {
            _time = time;
            var request = new CertificateRequest("CN=authority", _key, HashAlgorithmName.SHA256);
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            _certificate = request.CreateSelfSigned(time.GetUtcNow().AddDays(-1), time.GetUtcNow().AddYears(10));
            Client = new ApiClient(new HttpMessageInvoker(this), new ApiClientOptions { BaseAddress = new Uri("https://api.test") });
        }

        public ApiClient Client { get; }

        public int Asked => _asked;

        public int Denials { get; set; }

        public async Task SeenAsync(int requests)
        {
            for (var i = 0; i < requests; i++)
            {
                await _seen.WaitAsync(Ct);
            }
        }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var body = JsonNode.Parse(await request.Content!.ReadAsStringAsync(cancellationToken))!.AsObject();
            var number = Interlocked.Increment(ref _asked);
            body["metadata"] = new JsonObject { ["name"] = $"csr-{number}", ["resourceVersion"] = "1" };
            body["status"] = number <= Denials
                ? new JsonObject { ["conditions"] = new JsonArray(new JsonObject { ["type"] = "Denied", ["status"] = "True", ["reason"] = "No" }) }
                : new JsonObject { ["certificate"] = Convert.ToBase64String(Sign((string)body["spec"]!["request"]!)) };
            _seen.Release();
            return new HttpResponseMessage(HttpStatusCode.Created) { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json") };
        }

        protected override void Dispose(bool disposing)
        {
            _key.Dispose();
            _certificate.Dispose();
            _seen.Dispose();
            base.Dispose(disposing);
        }

        private byte[] Sign(string request)
        {
            var asked = CertificateRequest.LoadSigningRequestPem(Encoding.ASCII.GetString(Convert.FromBase64String(request)), HashAlgorithmName.SHA256);
            var now = _time.GetUtcNow();
            using var issued = asked.Create(_certificate, now, now + Life, RandomNumberGenerator.GetBytes(8));
            return Encoding.ASCII.GetBytes(issued.ExportCertificatePem());
        }
    }
}
