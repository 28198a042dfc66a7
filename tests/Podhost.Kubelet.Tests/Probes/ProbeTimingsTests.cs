using CsCheck;
using k8s.Models;
using Podhost.Kubelet.Probes;

namespace Podhost.Kubelet.Tests.Probes;

public sealed class ProbeTimingsTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Absent_fields_have_the_defaults_of_the_api()
    {
        var timings = ProbeTimings.Of(new V1Probe());
        Assert.Equal(new ProbeTimings(TimeSpan.Zero, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1), 1, 3), timings);
    }

    [Theory]
    [InlineData(5, 1, 5)] // the delay counts from the container's start
    [InlineData(5, 7, 7)] // and has passed: now
    [InlineData(0, 0, 0)]
    public void The_first_attempt_waits_for_the_initial_delay(int delay, int now, int due)
    {
        var timings = ProbeTimings.Of(new V1Probe { InitialDelaySeconds = delay });
        Assert.Equal(Start.AddSeconds(due), timings.First(Start, Start.AddSeconds(now), null, 0.5));
    }

    [Fact]
    public void After_a_restart_of_the_kubelet_older_containers_are_spread_over_a_period()
    {
        var timings = ProbeTimings.Of(new V1Probe());
        var restarted = Start.AddHours(1);
        Assert.Equal(restarted.AddSeconds(5), timings.First(Start, restarted, restarted, 0.5));
        Assert.Equal(restarted.AddSeconds(11), timings.First(Start, restarted.AddSeconds(11), restarted, 0.5));
        Assert.Equal(restarted.AddSeconds(1), timings.First(restarted.AddSeconds(1), restarted.AddSeconds(1), restarted, 0.5));
    }

    [Fact]
    public void Attempts_stay_on_the_beat_and_missed_beats_are_left_out() =>
        Gen.Select(Gen.Int[1, 100], Gen.Int[0, 1_000_000]).Sample((period, late) =>
        {
            var timings = ProbeTimings.Of(new V1Probe { PeriodSeconds = period });
            var now = Start.AddMilliseconds(late);
            var next = timings.Next(Start, now);
            Assert.Equal(0, (next - Start).Ticks % timings.Period.Ticks);
            Assert.True(next > Start && next >= now && (next - now <= timings.Period));
        });
}
