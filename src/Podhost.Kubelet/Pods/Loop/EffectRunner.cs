using System.Collections.Immutable;
using Podhost.Kubelet.Pods.Decide;

namespace Podhost.Kubelet.Pods.Loop;

/// <summary>The effects in flight of one pod: starts what is wanted, cancels what is not. Only the pod's loop calls it.</summary>
internal sealed class EffectRunner(string podUid, PodMailbox mailbox, PodLoopServices services)
{
    private readonly Dictionary<string, Flight> flights = new(StringComparer.Ordinal);

    public ImmutableHashSet<PodEffect> InFlight { get; private set; } = [];

    /// <summary>Makes the effects in flight those that are wanted. An effect that gives way to another of its key ends first.</summary>
    public void Reconcile(ImmutableArray<PodEffect> wanted, EffectContext context, CancellationToken cancellationToken)
    {
        foreach (var (_, flight) in flights)
        {
            if (flight.Effect.Cancellable && !wanted.Contains(flight.Effect))
            {
                flight.Cancellation.Cancel();
            }
        }

        foreach (var effect in wanted)
        {
            if (!flights.ContainsKey(effect.Key))
            {
                Start(effect, context, cancellationToken);
            }
        }
    }

    /// <summary>The outcome of an effect reached the loop.</summary>
    public void Ended(PodEffect effect)
    {
        if (flights.Remove(effect.Key, out var flight))
        {
            flight.Cancellation.Dispose();
            InFlight = InFlight.Remove(effect);
        }
    }

    /// <summary>Cancels everything and waits for the ends.</summary>
    public async Task DrainAsync()
    {
        foreach (var (_, flight) in flights)
        {
            await flight.Cancellation.CancelAsync().ConfigureAwait(false);
        }

        await Task.WhenAll(flights.Values.Select(f => f.Task)).ConfigureAwait(false);
        foreach (var (_, flight) in flights)
        {
            flight.Cancellation.Dispose();
        }

        flights.Clear();
    }

    private void Start(PodEffect effect, EffectContext context, CancellationToken cancellationToken)
    {
        var cancellation = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        flights[effect.Key] = new Flight(effect, cancellation, Task.Run(() => FlyAsync(effect, context, cancellation.Token, cancellationToken), CancellationToken.None));
        InFlight = InFlight.Add(effect);
    }

    private async Task FlyAsync(PodEffect effect, EffectContext context, CancellationToken cancellationToken, CancellationToken loopEnds)
    {
        EffectOutcome outcome;
        try
        {
            outcome = await services.Effects.RunAsync(effect, context, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            outcome = new EffectOutcome(effect, services.Time.GetUtcNow(), new EffectFailure(FailureKind.Cancelled, "Cancelled", "not wanted any more"));
        }
        catch (Exception e)
        {
            outcome = new EffectOutcome(effect, services.Time.GetUtcNow(), new EffectFailure(FailureKind.Transient, "InternalError", e.Message));
        }

        await TellAsync(effect, outcome, loopEnds).ConfigureAwait(false);
    }

    /// <summary>Outcome and a look that began after it reach the loop together: the next decision cannot miss what the effect did.</summary>
    private async Task TellAsync(PodEffect effect, EffectOutcome outcome, CancellationToken loopEnds)
    {
        RuntimeLook? look = null;
        if (effect.ChangesRuntime)
        {
            try
            {
                look = await RuntimeLooker.UntilSeenAsync(podUid, services, loopEnds).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }

        mailbox.Post(m =>
        {
            m.Outcomes.Add(outcome);
            if (look is not null)
            {
                m.Offer(look);
            }
        });
    }

    private sealed record Flight(PodEffect Effect, CancellationTokenSource Cancellation, Task Task);
}
