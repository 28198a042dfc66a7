using System.Threading.Channels;
using k8s.Models;
using Podhost.Kubelet.Pods.Decide;
using Podhost.Kubelet.Probes;

namespace Podhost.Kubelet.Pods.Loop;

/// <summary>What happened to a pod since its loop looked last. Bounded by its form: of each kind only the newest is kept.</summary>
internal sealed class PodMailbox
{
    private readonly Lock gate = new();
    private readonly Channel<bool> wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private Mail mail = new();

    /// <summary>Adds to what is in the box and wakes the loop.</summary>
    public void Post(Action<Mail> write)
    {
        lock (gate)
        {
            write(mail);
        }

        wake.Writer.TryWrite(true);
    }

    /// <summary>Waits until something is in the box.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken) => await wake.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Empties the box.</summary>
    public Mail Drain()
    {
        lock (gate)
        {
            var drained = mail;
            mail = new Mail();
            return drained;
        }
    }
}

/// <summary>The contents of a mailbox.</summary>
internal sealed class Mail
{
    public V1Pod? Pod { get; set; }

    public bool Gone { get; set; }

    public StopRequest? Stop { get; set; }

    public bool? Blocked { get; set; }

    public AdmissionVerdict? Admission { get; set; }

    public PodAllocation? Allocation { get; set; }

    /// <summary>A look at the runtime is asked for.</summary>
    public bool Look { get; set; }

    public RuntimeLook? Runtime { get; set; }

    public bool ReferencesChanged { get; set; }

    public Dictionary<ProbeKey, ProbeView> Probes { get; } = [];

    /// <summary>At most one an effect in flight.</summary>
    public List<EffectOutcome> Outcomes { get; } = [];

    /// <summary>Keeps the look that began last.</summary>
    public void Offer(RuntimeLook look)
    {
        if (Runtime is null || look.Sequence > Runtime.Sequence)
        {
            Runtime = look;
        }
    }
}

/// <summary>A look at the runtime.</summary>
/// <param name="Sequence">Order in which looks began: a later one has everything that an earlier one has.</param>
/// <param name="View">What was seen.</param>
internal sealed record RuntimeLook(long Sequence, RuntimeView View);
