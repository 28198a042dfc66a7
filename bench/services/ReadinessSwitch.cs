using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Podhost.Bench.Services;

/// <summary>What a readiness probe asks. It knows to the microsecond when the probe got its result.</summary>
internal sealed class ReadinessSwitch : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private volatile bool _isReady = true;
    private TaskCompletionSource<long> _told = new();

    internal ReadinessSwitch()
    {
        _listener.Start();
        _ = ServeAsync();
    }

    internal int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Changes the answer; completes with the timestamp at which a probe was given it.</summary>
    internal Task<long> SetAsync(bool ready)
    {
        _told = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        _isReady = ready;
        return _told.Task;
    }

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync()
    {
        var buffer = new byte[4096];
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptSocketAsync();
                await client.ReceiveAsync(buffer);
                var told = _told;
                await client.SendAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {(_isReady ? "200 OK" : "503 No")}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
                told.TrySetResult(Stopwatch.GetTimestamp());
            }
        }
        catch (SocketException)
        {
            // Disposed.
        }
    }
}
