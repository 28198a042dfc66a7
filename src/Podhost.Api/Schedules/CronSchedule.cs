using System.Globalization;

namespace Podhost.Api.Schedules;

/// <summary>
/// A cron schedule of five fields (minute, hour, day of month, month, day of week) or a name such as @daily, as robfig/cron's standard parser
/// reads them: lists, ranges, steps, ?, names of months and days.
/// </summary>
public sealed class CronSchedule
{
    // No schedule that can come at all stays away longer (29 February across a century that is no leap year).
    private const int MaxYears = 9;

    private static readonly string[] Months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    private static readonly string[] Days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    private readonly ulong minutes;
    private readonly ulong hours;
    private readonly ulong daysOfMonth;
    private readonly ulong months;
    private readonly ulong daysOfWeek;
    private readonly bool anyDayOfMonth;
    private readonly bool anyDayOfWeek;

    private CronSchedule((ulong Bits, bool Star)[] fields)
    {
        (minutes, hours, daysOfMonth, months, daysOfWeek) = (fields[0].Bits, fields[1].Bits, fields[2].Bits, fields[3].Bits, fields[4].Bits);
        (anyDayOfMonth, anyDayOfWeek) = (fields[2].Star, fields[4].Star);
    }

    /// <summary>Reads a schedule.</summary>
    public static bool TryParse(string text, out CronSchedule? schedule, out string fault)
    {
        (schedule, fault) = (null, "");
        var words = (text.Trim() switch
        {
            "@yearly" or "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" or "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            var other => other,
        }).Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (words is not [var minute, var hour, var day, var month, var weekday])
        {
            fault = words is [['@', ..]] ? $"unrecognized descriptor: {text.Trim()}" : $"expected exactly 5 fields, found {words.Length}: [{string.Join(' ', words)}]";
            return false;
        }

        try
        {
            schedule = new CronSchedule(
                [Field(minute, 0, 59, []), Field(hour, 0, 23, []), Field(day, 1, 31, []), Field(month, 1, 12, Months), Field(weekday, 0, 6, Days)]);
            return true;
        }
        catch (FormatException e)
        {
            fault = e.Message;
            return false;
        }
    }

    /// <summary>The first moment after another at which it is due, in a time zone; null where it never is.</summary>
    /// <remarks>A local time that a change of the clock leaves out is skipped; one that comes twice counts once.</remarks>
    public DateTimeOffset? Next(DateTimeOffset after, TimeZoneInfo zone)
    {
        var local = TimeZoneInfo.ConvertTime(after, zone).DateTime;
        var at = new DateTime(local.Year, local.Month, local.Day, local.Hour, local.Minute, 0).AddMinutes(1);
        var end = at.AddYears(MaxYears);
        while (at < end)
        {
            if (!Has(months, at.Month))
            {
                at = new DateTime(at.Year, at.Month, 1).AddMonths(1);
            }
            else if (!IsDay(at))
            {
                at = at.Date.AddDays(1);
            }
            else if (!Has(hours, at.Hour))
            {
                at = at.Date.AddHours(at.Hour + 1);
            }
            else if (!Has(minutes, at.Minute) || zone.IsInvalidTime(at) || Moment(at, zone) <= after)
            {
                at = at.AddMinutes(1);
            }
            else
            {
                return Moment(at, zone);
            }
        }

        return null;
    }

    private static DateTimeOffset Moment(DateTime local, TimeZoneInfo zone) => new(local, zone.GetUtcOffset(local));

    // Where both kinds of day are restricted, either will do.
    private bool IsDay(DateTime at)
    {
        var (month, week) = (Has(daysOfMonth, at.Day), Has(daysOfWeek, (int)at.DayOfWeek));
        return anyDayOfMonth || anyDayOfWeek ? month && week : month || week;
    }

    private static bool Has(ulong bits, int value) => (bits >> value & 1) != 0;

    private static (ulong Bits, bool Star) Field(string text, int low, int high, string[] names)
    {
        var (bits, star) = (0UL, false);
        foreach (var part in text.Split(','))
        {
            var (range, step) = part.Split('/') switch
            {
                [var whole] => (whole, 1),
                [var whole, var by] => (whole, Number(by, [])),
                _ => throw new FormatException($"too many slashes: {part}"),
            };
            var (from, to) = range is "*" or "?" ? (low, high) : Range(range, low, high, names, part.Contains('/', StringComparison.Ordinal));
            if (step == 0)
            {
                throw new FormatException($"step of range should be a positive number: {part}");
            }

            star |= range is "*" or "?" && step == 1;
            for (var value = from; value <= to; value += step)
            {
                bits |= 1UL << (names == Days ? value % 7 : value);
            }
        }

        return (bits, star);
    }

    private static (int From, int To) Range(string text, int low, int high, string[] names, bool open)
    {
        var (from, to) = text.Split('-') switch
        {
            [var one] => (Value(one, low, names), open ? high : Value(one, low, names)),
            [var first, var last] => (Value(first, low, names), Value(last, low, names)),
            _ => throw new FormatException($"too many hyphens: {text}"),
        };
        if (from < low)
        {
            throw new FormatException($"beginning of range ({from}) below minimum ({low}): {text}");
        }

        if (to > high)
        {
            throw new FormatException($"end of range ({to}) above maximum ({high}): {text}");
        }

        return from <= to ? (from, to) : throw new FormatException($"beginning of range ({from}) beyond end of range ({to}): {text}");
    }

    private static int Value(string text, int low, string[] names) =>
        Array.IndexOf(names, text.ToLowerInvariant()) is >= 0 and var index ? index + low : Number(text, names);

    private static int Number(string text, string[] names) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
        ? value
        : throw new FormatException(names.Length > 0 || text.Length > 0 ? $"failed to parse int from {text}: strconv.Atoi: parsing \"{text}\": invalid syntax" : "empty spec string");
}
