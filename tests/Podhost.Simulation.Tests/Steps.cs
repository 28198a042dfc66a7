using System.Collections.Concurrent;

namespace Podhost.Simulation.Tests;

/// <summary>
/// Counts the steps of all effects and stops the world at a chosen one: there the effect hangs, as if the process had been killed just
/// before the step, or just after it with nobody told of its success. The test then crashes the node and starts another.
/// </summary>
internal sealed class Steps
{
    private readonly ConcurrentQueue<string> names = new();
    private int passed;
    private int stopAt = -1;

    /// <summary>The step at which the world stopped; null: not yet.</summary>
    public string? Reached { get; private set; }

    /// <summary>Names of all steps so far, each twice: before and after its work.</summary>
    public IReadOnlyCollection<string> Names => names;

    /// <summary>Stops at a step, counted from 0 since the arming.</summary>
    public void Arm(int step)
    {
        passed = 0;
        stopAt = step;
    }

    /// <summary>The crash has happened: the next node runs freely.</summary>
    public void Disarm()
    {
        stopAt = -1;
        Reached = null;
    }

    public Task BeforeAsync(string step, CancellationToken cancellationToken) => PassAsync("before " + step, cancellationToken);

    public Task AfterAsync(string step, CancellationToken cancellationToken) => PassAsync("after " + step, cancellationToken);

    private async Task PassAsync(string step, CancellationToken cancellationToken)
    {
        await Task.Yield();
        if (stopAt < 0)
        {
            return;
        }

        names.Enqueue(step);

        // At and after the chosen step nothing goes on: the process is dead.
        if (Interlocked.Increment(ref passed) - 1 >= stopAt)
        {
            Reached ??= step;
            await new TaskCompletionSource().Task.WaitAsync(cancellationToken);
        }
    }
}
