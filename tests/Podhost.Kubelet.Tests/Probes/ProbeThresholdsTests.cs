using CsCheck;
using Podhost.Kubelet.Probes;

namespace Podhost.Kubelet.Tests.Probes;

public sealed class ProbeThresholdsTests
{
    [Theory]
    [InlineData("FFF", 1, 3, "..F")]
    [InlineData("FFSFFF", 1, 3, "..S..F")]
    [InlineData("SSS", 1, 3, "S..")] // only changes are reported
    [InlineData("FSSFSS", 2, 1, "F.SF.S")]
    [InlineData("FUFUF", 1, 3, "....F")] // an attempt that did not work counts for nothing
    [InlineData("UUUU", 1, 1, "....")]
    public void Results_come_after_enough_equal_attempts(string attempts, int success, int failure, string results)
    {
        var thresholds = new ProbeThresholds();
        var actual = string.Concat(attempts.Select(a => thresholds.Add(Parse(a), success, failure) switch
        {
            ProbeResult.Success => 'S',
            ProbeResult.Failure => 'F',
            _ => '.',
        }));
        Assert.Equal(results, actual);
    }

    [Fact]
    public void Reports_alternate_and_each_follows_a_run_of_its_length() =>
        Gen.Select(Gen.Char["SFU"].Array[0, 60], Gen.Int[1, 4], Gen.Int[1, 4]).Sample((attempts, success, failure) =>
        {
            var thresholds = new ProbeThresholds();
            ProbeResult? last = null;
            for (var i = 0; i < attempts.Length; i++)
            {
                if (thresholds.Add(Parse(attempts[i]), success, failure) is { } result)
                {
                    Assert.NotEqual(last, result);
                    last = result;
                    var known = attempts.Take(i + 1).Where(a => a != 'U').TakeLast(result == ProbeResult.Success ? success : failure).ToArray();
                    Assert.True(known.Length == (result == ProbeResult.Success ? success : failure));
                    Assert.All(known, a => Assert.Equal(result, Parse(a)));
                }
            }
        });

    private static ProbeResult Parse(char c) => c switch { 'S' => ProbeResult.Success, 'F' => ProbeResult.Failure, _ => ProbeResult.Unknown };
}
