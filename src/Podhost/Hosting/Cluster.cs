using Microsoft.Extensions.Logging;
using Podhost.Configuration;

namespace Podhost.Hosting;

/// <summary>A whole instance: control plane, controllers and node, started in the order in which they need each other.</summary>
internal sealed class Cluster(PodhostOptions options, TimeProvider time) : IAsyncDisposable
{
    private readonly ILoggerFactory _logs = LogSetup.Create(options.LogLevel);

    /// <summary>Runs until cancelled; pods keep running afterwards.</summary>
    /// <param name="onReady">Called once when the node is ready.</param>
    /// <param name="cancellationToken">Stops the instance.</param>
    public async Task RunAsync(Action onReady, CancellationToken cancellationToken)
    {
        var address = NodeAddress.Of(options);
        await using var plane = await ControlPlane.StartAsync(options, address, time, _logs, cancellationToken);
        var controllers = new Controllers(plane, options, time, _logs);
        onReady();
        await Loops.RunAllAsync([controllers.RunAsync], cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        _logs.Dispose();
        return ValueTask.CompletedTask;
    }
}
