using System.Net.Sockets;
using System.Text.Json;
using Podhost.Configuration;

namespace Podhost.Images;

/// <summary>The images of a running instance, through its control socket.</summary>
internal sealed class RemoteImageTool : IImageTool
{
    private readonly HttpClient _http;

    public RemoteImageTool(PodhostOptions options)
    {
        var path = ControlSocket.PathOf(options);
        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        {
            BaseAddress = new Uri("http://podhost"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    public Task<IReadOnlyList<string>> PullAsync(string reference, Action<ImageStep> progress, CancellationToken cancellationToken) =>
        FollowAsync(HttpMethod.Post, $"/images/pull?reference={Uri.EscapeDataString(reference)}", progress, cancellationToken);

    public Task<IReadOnlyList<string>> LoadAsync(string path, string? name, Action<ImageStep> progress, CancellationToken cancellationToken)
    {
        var suffix = name is null ? "" : $"&name={Uri.EscapeDataString(name)}";
        return FollowAsync(HttpMethod.Post, $"/images/load?path={Uri.EscapeDataString(Path.GetFullPath(path))}{suffix}", progress, cancellationToken);
    }

    public async Task<IReadOnlyList<ImageLine>> ListAsync(CancellationToken cancellationToken)
    {
        await using var body = await _http.GetStreamAsync("/images", cancellationToken);
        return await JsonSerializer.DeserializeAsync(body, ImageJson.Default.ListImageLine, cancellationToken) ?? [];
    }

    public Task RemoveAsync(string reference, CancellationToken cancellationToken) =>
        FollowAsync(HttpMethod.Delete, $"/images?reference={Uri.EscapeDataString(reference)}", _ => { }, cancellationToken);

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<IReadOnlyList<string>> FollowAsync(HttpMethod method, string path, Action<ImageStep> progress, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path);
        using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        answer.EnsureSuccessStatusCode();
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellationToken));
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            var parsed = JsonSerializer.Deserialize(line, ImageJson.Default.ImageEvent)!;
            if (parsed.Error is not null)
            {
                throw new ImageToolException(parsed.Error);
            }

            if (parsed.Done is not null)
            {
                return parsed.Done;
            }

            progress(parsed.Step!);
        }

        throw new ImageToolException("the server ended before it answered");
    }
}
