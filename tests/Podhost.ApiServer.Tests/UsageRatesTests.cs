using System.Text.Json.Nodes;
using Podhost.ApiServer.Metrics;

namespace Podhost.ApiServer.Tests;

/// <summary>CPU rates out of counters.</summary>
public class UsageRatesTests
{
    private readonly UsageRates _rates = new();

    [Fact]
    public void The_first_look_counts_from_the_start_and_the_next_from_the_one_before()
    {
        Assert.Null(_rates.Of("c", Stats("00:00:10", 0, "00:00:10")));
        Assert.Equal((200_000_000, TimeSpan.FromSeconds(10)), _rates.Of("d", Stats("00:00:20", 2_000_000_000, "00:00:10")));
        Assert.Equal((1_000_000_000, TimeSpan.FromSeconds(10)), _rates.Of("d", Stats("00:00:30", 12_000_000_000, "00:00:10")));
    }

    [Fact]
    public void A_look_a_moment_later_is_no_window_and_a_restarted_counter_begins_anew()
    {
        _rates.Of("c", Stats("00:00:20", 2_000_000_000, "00:00:10"));
        Assert.Equal((190_909_090, TimeSpan.FromSeconds(11)), _rates.Of("c", Stats("00:00:21", 2_100_000_000, "00:00:10")));
        Assert.Equal((100_000_000, TimeSpan.FromSeconds(1)), _rates.Of("c", Stats("00:00:31", 100_000_000, "00:00:30")));
    }

    [Fact]
    public void What_the_kubelet_tells_goes_first()
    {
        var stats = Stats("00:00:20", 1, "00:00:10");
        stats["cpu"]!["usageNanoCores"] = 42L;
        Assert.Equal(42, _rates.Of("c", stats)?.NanoCores);
    }

    private static JsonObject Stats(string at, long counter, string started) => JsonNode.Parse(
        $$"""{"startTime":"2026-01-01T{{started}}Z","cpu":{"time":"2026-01-01T{{at}}Z","usageCoreNanoSeconds":{{counter}} } }""")!.AsObject();
}
