using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace Podhost.Bench.Pods;

/// <summary>The API as any client sees it: HTTPS with the administrator's certificate, JSON.</summary>
internal sealed class ApiConnection : IDisposable
{
    internal const string Pods = "/api/v1/namespaces/default/pods";
    private readonly HttpClient _client;

    internal ApiConnection(string kubeconfig)
    {
        var fields = File.ReadLines(kubeconfig).Select(line => line.Trim().TrimStart('-', ' ').Split(": ", 2)).Where(parts => parts.Length == 2)
            .GroupBy(parts => parts[0], StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.First()[1].Trim('"'), StringComparer.Ordinal);
        var authority = X509Certificate2.CreateFromPem(Pem(fields["certificate-authority-data"]));
        var handler = new SocketsHttpHandler();
        handler.SslOptions.ClientCertificates = [X509Certificate2.CreateFromPem(Pem(fields["client-certificate-data"]), Pem(fields["client-key-data"]))];
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            CustomTrustStore = { authority },
        };
        _client = new HttpClient(handler) { BaseAddress = new Uri(fields["server"]), Timeout = Timeout.InfiniteTimeSpan };
    }

    public void Dispose() => _client.Dispose();

    internal async Task CreateAsync(string path, string json)
    {
        using var body = new StringContent(json, new MediaTypeHeaderValue("application/json"));
        using var answer = await _client.PostAsync(new Uri(path, UriKind.Relative), body);
        await CheckAsync(answer);
    }

    internal async Task DeleteAsync(string path)
    {
        using var answer = await _client.DeleteAsync(new Uri(path, UriKind.Relative));
        await CheckAsync(answer);
    }

    /// <summary>The events of a watch, until cancelled.</summary>
    internal async IAsyncEnumerable<JsonNode> WatchAsync(
        string path, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await CheckAsync(answer);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellationToken));
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            yield return JsonNode.Parse(line)!;
        }
    }

    /// <summary>Waits until the server answers and the node is Ready.</summary>
    internal async Task WaitForNodeAsync(string name, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await foreach (var e in WatchAsync($"/api/v1/nodes?watch=true&fieldSelector=metadata.name%3D{name}", cancellationToken))
                {
                    if (Objects.HasCondition(e["object"]!, "Ready"))
                    {
                        return;
                    }
                }
            }
            catch (Exception failure) when (failure is HttpRequestException or BenchException)
            {
                // It does not listen yet, or knows no rights yet.
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellationToken);
            }
        }
    }

    private static async Task CheckAsync(HttpResponseMessage answer)
    {
        if (answer.StatusCode >= HttpStatusCode.BadRequest)
        {
            throw new BenchException($"{answer.RequestMessage?.Method} {answer.RequestMessage?.RequestUri}: {await answer.Content.ReadAsStringAsync()}");
        }
    }

    private static string Pem(string base64) => Encoding.ASCII.GetString(Convert.FromBase64String(base64));
}

/// <summary>Reads objects of the API.</summary>
internal static class Objects
{
    internal static string Name(JsonNode value) => (string)value["metadata"]!["name"]!;

    internal static bool HasCondition(JsonNode value, string type) =>
        value["status"]?["conditions"]?.AsArray().Any(condition => (string?)condition!["type"] == type && (string?)condition["status"] == "True") == true;
}
