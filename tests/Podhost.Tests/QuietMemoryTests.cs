using Podhost.Hosting;

namespace Podhost.Tests;

public class QuietMemoryTests
{
    private const long Megabyte = 1 << 20;

    // Bytes allocated in each interval, in MB; R: memory is returned at the end of it.
    [Theory]
    [InlineData("0 0 0", "---")]
    [InlineData("15 0 0", "---")]
    [InlineData("16 0 0", "-R-")]
    [InlineData("40 30 1 1", "--R-")]
    [InlineData("40 2 2 2 1 0", "----R-")]
    [InlineData("1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "---------------R-")]
    [InlineData("20 0 20 0", "-R-R")]
    public void Memory_is_returned_once_when_a_burst_is_over(string allocations, string returns)
    {
        var memory = default(QuietMemory);
        var total = 0L;
        var seen = string.Empty;
        foreach (var megabytes in allocations.Split(' '))
        {
            total += long.Parse(megabytes, System.Globalization.CultureInfo.InvariantCulture) * Megabyte;
            (var due, memory) = memory.Look(total);
            seen += due ? 'R' : '-';
        }

        Assert.Equal(returns, seen);
    }
}
