namespace Podhost.Hosting;

/// <summary>Long-lived loops that live and end together.</summary>
internal static class Loops
{
    /// <summary>Runs loops until cancelled. The first that fails stops the others, and its failure is thrown.</summary>
    public static async Task RunAllAsync(IEnumerable<Func<CancellationToken, Task>> loops, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = loops.Select(loop => Task.Run(() => loop(stop.Token), CancellationToken.None)).ToList();
        Task? failed = null;
        while (running.Count > 0)
        {
            var ended = await Task.WhenAny(running);
            running.Remove(ended);
            if (ended.IsFaulted && failed is null)
            {
                failed = ended;
                await stop.CancelAsync();
            }
        }

        if (failed is not null)
        {
            await failed;
        }
    }
}
