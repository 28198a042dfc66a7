namespace Podhost.Control.Controllers;

/// <summary>A loop that makes the world as objects say. Level-triggered: it may be stopped and started at any moment.</summary>
public interface IController
{
    /// <summary>Runs until cancelled. Informers are run by the caller.</summary>
    Task RunAsync(CancellationToken cancellationToken);
}
