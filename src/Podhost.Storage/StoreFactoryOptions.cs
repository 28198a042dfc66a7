using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Podhost.Storage;

/// <summary>What any store needs from its surroundings.</summary>
public sealed record StoreFactoryOptions
{
    /// <summary>The clock of expiries.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Jitter of reconnects.</summary>
    public Random Random { get; init; } = new();

    /// <summary>Loggers.</summary>
    public ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;

    /// <summary>Makes a directory's entries durable (fsync); used where the store makes directories.</summary>
    public Action<string>? SyncDirectory { get; init; }
}
