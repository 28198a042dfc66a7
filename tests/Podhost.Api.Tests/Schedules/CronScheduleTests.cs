using System.Globalization;
using Podhost.Api.Schedules;

namespace Podhost.Api.Tests.Schedules;

public sealed class CronScheduleTests
{
    [Theory]
    [InlineData("* * * * *", "2026-01-01T00:00:30Z", "2026-01-01T00:01:00Z")]
    [InlineData("*/15 * * * *", "2026-01-01T00:15:00Z", "2026-01-01T00:30:00Z")]
    [InlineData("5/20 * * * *", "2026-01-01T00:26:00Z", "2026-01-01T00:45:00Z")]
    [InlineData("0 3 1 * *", "2026-01-01T03:00:00Z", "2026-02-01T03:00:00Z")]
    [InlineData("0 0 13 * FRI", "2026-02-01T00:00:00Z", "2026-02-06T00:00:00Z")]
    [InlineData("0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z")]
    [InlineData("30 8-10,12 * jan-mar mon-fri", "2026-03-31T10:30:00Z", "2026-03-31T12:30:00Z")]
    [InlineData("@weekly", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z")]
    [InlineData("@hourly", "2026-01-01T00:59:59Z", "2026-01-01T01:00:00Z")]
    [InlineData("0 0 ? * 0", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z")]
    public void The_next_time(string schedule, string after, string next) => Assert.Equal(Time(next), Parse(schedule).Next(Time(after), TimeZoneInfo.Utc));

    [Fact]
    public void A_schedule_that_never_comes() => Assert.Null(Parse("0 0 31 2 *").Next(Time("2026-01-01T00:00:00Z"), TimeZoneInfo.Utc));

    [Fact]
    public void A_time_that_the_clock_leaves_out_is_skipped_and_one_that_comes_twice_counts_once()
    {
        var berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
        Assert.Equal(Time("2026-03-30T00:30:00Z"), Parse("30 2 * * *").Next(Time("2026-03-29T00:00:00Z"), berlin));
        var once = Parse("30 2 * * *").Next(Time("2026-10-24T12:00:00Z"), berlin)!.Value;
        Assert.Equal(Time("2026-10-26T01:30:00Z"), Parse("30 2 * * *").Next(once, berlin));
    }

    [Theory]
    [InlineData("", "expected exactly 5 fields, found 0: []")]
    [InlineData("* * * *", "expected exactly 5 fields, found 4: [* * * *]")]
    [InlineData("60 * * * *", "end of range (60) above maximum (59): 60")]
    [InlineData("* * 0 * *", "beginning of range (0) below minimum (1): 0")]
    [InlineData("5-3 * * * *", "beginning of range (5) beyond end of range (3): 5-3")]
    [InlineData("*/0 * * * *", "step of range should be a positive number: */0")]
    [InlineData("1/2/3 * * * *", "too many slashes: 1/2/3")]
    [InlineData("@never", "unrecognized descriptor: @never")]
    public void Broken_schedules_are_refused(string schedule, string fault)
    {
        Assert.False(CronSchedule.TryParse(schedule, out _, out var said));
        Assert.Equal(fault, said);
    }

    private static CronSchedule Parse(string text)
    {
        Assert.True(CronSchedule.TryParse(text, out var schedule, out var fault), fault);
        return schedule!;
    }

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
