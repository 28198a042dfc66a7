using System.Net.Sockets;
using System.Text;

namespace Podhost.Hosting;

/// <summary>Tells whoever started the process that it is ready, in systemd's protocol (NOTIFY_SOCKET): Type=notify units and <c>up --detach</c> wait for it.</summary>
internal static class ReadinessNotice
{
    private const string Variable = "NOTIFY_SOCKET";

    /// <summary>Sends READY=1; does nothing where nobody asked.</summary>
    public static void SendReady()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } address)
        {
            return;
        }

        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.SendTo("READY=1"u8.ToArray(), new UnixDomainSocketEndPoint(address.StartsWith('@') ? "\0" + address[1..] : address));
    }

    /// <summary>The waiting side: a socket that the child is told of.</summary>
    internal sealed class Receiver : IDisposable
    {
        private readonly Socket _socket;

        public Receiver(string directory)
        {
            Directory.CreateDirectory(directory);
            Path = System.IO.Path.Combine(directory, $"notify.{Environment.ProcessId}");
            File.Delete(Path);
            _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            _socket.Bind(new UnixDomainSocketEndPoint(Path));
        }

        public string Path { get; }

        /// <summary>The environment entry of the child.</summary>
        public string EnvironmentEntry => $"{Variable}={Path}";

        /// <summary>Completes when READY=1 came.</summary>
        public async Task WaitAsync(CancellationToken cancellationToken)
        {
            var buffer = new byte[4096];
            while (true)
            {
                var read = await _socket.ReceiveAsync(buffer, cancellationToken);
                if (Encoding.ASCII.GetString(buffer, 0, read).Split('\n').Contains("READY=1"))
                {
                    return;
                }
            }
        }

        public void Dispose()
        {
            _socket.Dispose();
            File.Delete(Path);
        }
    }
}
