using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Podhost.Linux.Native;

namespace Podhost.Linux.Polling;

/// <summary>
/// Tells when descriptors that .NET cannot wait for (pidfds, inotify, pipes, terminals) become ready: one thread in epoll_wait for the
/// process. A wait costs two system calls and no thread.
/// </summary>
public sealed class DescriptorPoller
{
    private const int Add = 1;
    private const int Delete = 2;
    private const uint Readable = 0x1;
    private const uint Urgent = 0x2;
    private const uint Writable = 0x4;
    private const uint OneShot = 1u << 30;
    private const int BatchSize = 64;

    // struct epoll_event is packed on x86-64 alone.
    private static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = EventSize - 8;
    private static readonly Lazy<DescriptorPoller> Instance = new(() => new DescriptorPoller());

    private readonly SafeFileHandle _epoll;
    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, TaskCompletionSource> _waiters = [];
    private ulong _nextKey;

    private DescriptorPoller()
    {
        var epoll = Libc.epoll_create1(0x80000);
        LinuxException.ThrowIf(epoll < 0, "create an epoll instance");
        _epoll = new SafeFileHandle(epoll, true);
        new Thread(Loop, 64 * 1024) { IsBackground = true, Name = "descriptor poller" }.Start();
    }

    /// <summary>The poller of this process, started with its first use.</summary>
    public static DescriptorPoller Shared => Instance.Value;

    /// <summary>Completes when the descriptor can be read, has ended or failed. One wait at a time for a descriptor.</summary>
    /// <param name="handle">The descriptor.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task WaitReadableAsync(SafeHandle handle, CancellationToken cancellationToken) => WaitAsync(handle, Readable, cancellationToken);

    /// <summary>Completes when the descriptor can be written to, or has failed. One wait at a time for a descriptor.</summary>
    /// <param name="handle">The descriptor.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task WaitWritableAsync(SafeHandle handle, CancellationToken cancellationToken) => WaitAsync(handle, Writable, cancellationToken);

    /// <summary>Completes when the descriptor has exceptional news (EPOLLPRI), or has failed. One wait at a time for a descriptor.</summary>
    /// <param name="handle">The descriptor.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task WaitUrgentAsync(SafeHandle handle, CancellationToken cancellationToken) => WaitAsync(handle, Urgent, cancellationToken);

    private async Task WaitAsync(SafeHandle handle, uint events, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var referenced = false;
        handle.DangerousAddRef(ref referenced);
        try
        {
            var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var key = Register(ready);
            Control(Add, handle, events | OneShot, key);
            try
            {
                await using var cancellation = cancellationToken.Register(() => ready.TrySetCanceled(cancellationToken));
                await ready.Task;
            }
            finally
            {
                Control(Delete, handle, 0, key);
                Forget(key);
            }
        }
        finally
        {
            if (referenced)
            {
                handle.DangerousRelease();
            }
        }
    }

    private ulong Register(TaskCompletionSource ready)
    {
        lock (_lock)
        {
            _waiters.Add(++_nextKey, ready);
            return _nextKey;
        }
    }

    private void Forget(ulong key)
    {
        lock (_lock)
        {
            _waiters.Remove(key);
        }
    }

    private unsafe void Control(int operation, SafeHandle handle, uint events, ulong key)
    {
        var buffer = stackalloc byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(new Span<byte>(buffer, 4), events);
        BinaryPrimitives.WriteUInt64LittleEndian(new Span<byte>(buffer + DataOffset, 8), key);
        var result = Libc.epoll_ctl(Descriptors.Number(_epoll), operation, Descriptors.Number(handle), buffer);
        if (result != 0 && operation == Add)
        {
            var failure = LinuxException.Last("wait for a descriptor");
            Forget(key);
            throw failure;
        }
    }

    private unsafe void Loop()
    {
        var events = stackalloc byte[16 * BatchSize];
        while (true)
        {
            var count = Libc.epoll_wait(Descriptors.Number(_epoll), events, BatchSize, -1);
            for (var i = 0; i < count; i++)
            {
                var key = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(events + (i * EventSize) + DataOffset, 8));
                lock (_lock)
                {
                    if (_waiters.TryGetValue(key, out var ready))
                    {
                        ready.TrySetResult();
                    }
                }
            }
        }
    }
}
