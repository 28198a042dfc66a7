using System.Net;
using System.Net.Sockets;
using Podhost.Network.Dns.Upstream;
using Podhost.Network.Dns.Wire;

namespace Podhost.Network.Tests.Dns;

/// <summary>A nameserver on loopback that answers as the test says; null: not at all.</summary>
internal sealed class FakeUpstream : IDisposable
{
    private readonly Socket _udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly TcpListener _tcp;
    private readonly Func<DnsQuery, bool, IEnumerable<byte[]>> _answers;
    private readonly CancellationTokenSource _stop = new();

    public FakeUpstream(IPAddress address, int port, Func<DnsQuery, bool, IEnumerable<byte[]>> answers)
    {
        _answers = answers;
        _udp.Bind(new IPEndPoint(address, port));
        Port = ((IPEndPoint)_udp.LocalEndPoint!).Port;
        _tcp = new TcpListener(address, Port);
        _tcp.Start();
        _ = Task.Run(UdpAsync);
        _ = Task.Run(TcpAsync);
    }

    public int Port { get; }

    public int Asked { get; private set; }

    public void Dispose()
    {
        _stop.Cancel();
        _udp.Dispose();
        _tcp.Dispose();
    }

    private async Task UdpAsync()
    {
        var buffer = new byte[4096];
        while (true)
        {
            var got = await _udp.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), _stop.Token);
            foreach (var answer in Answers(buffer.AsSpan(0, got.ReceivedBytes), false))
            {
                await _udp.SendToAsync(answer, got.RemoteEndPoint);
            }
        }
    }

    private async Task TcpAsync()
    {
        while (true)
        {
            using var client = await _tcp.AcceptTcpClientAsync(_stop.Token);
            var message = await TcpFrame.ReadAsync(client.GetStream(), _stop.Token);
            foreach (var answer in Answers(message, true))
            {
                await TcpFrame.WriteAsync(client.GetStream(), answer, _stop.Token);
            }
        }
    }

    private IEnumerable<byte[]> Answers(ReadOnlySpan<byte> message, bool tcp)
    {
        Asked++;
        return [.. _answers(MessageReader.ReadQuery(message, out _)!, tcp)];
    }
}
