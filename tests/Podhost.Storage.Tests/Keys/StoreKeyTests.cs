using System.Text;
using CsCheck;
using Podhost.Storage.Compaction;
using Podhost.Storage.Keys;

namespace Podhost.Storage.Tests.Keys;

public sealed class StoreKeyTests
{
    private static readonly Gen<string> Valid =
        Gen.OneOf(Gen.Int[1, 0xD7FF], Gen.Int[0xE000, 0x10FFFF]).Array[0, 4].Select(a => string.Concat(a.Select(char.ConvertFromUtf32)));

    [Fact]
    public void Strings_are_ordered_as_their_bytes() =>
        Gen.Select(Valid, Valid).Sample((a, b) =>
            Math.Sign(Utf8KeyComparer.Instance.Compare(a, b)) == Math.Sign(Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b))));

    [Fact]
    public void The_end_of_a_prefix_is_the_first_string_after_it()
    {
        Assert.Equal("/b"u8.ToArray(), StoreKey.PrefixEnd("/a"u8));
        Assert.Equal([1], StoreKey.PrefixEnd([0, 0xFF, 0xFF]));
        Assert.Null(StoreKey.PrefixEnd([]));
        Assert.Null(StoreKey.PrefixEnd([0xFF]));
    }

    [Fact]
    public void Compaction_keeps_the_time_and_the_count()
    {
        var schedule = new CompactionSchedule(new AutoCompactionOptions { Retention = TimeSpan.FromMinutes(5), KeepRevisions = 100 });
        var start = DateTimeOffset.UnixEpoch;
        Assert.Null(schedule.Next(start, 1000));
        Assert.Null(schedule.Next(start.AddMinutes(4), 5000));
        Assert.Equal(1000, schedule.Next(start.AddMinutes(5), 6000));
        Assert.Null(schedule.Next(start.AddMinutes(6), 6000));
        Assert.Equal(5000, schedule.Next(start.AddMinutes(9), 6000));
        Assert.Equal(5900, schedule.Next(start.AddMinutes(20), 6000));
        Assert.Null(schedule.Next(start.AddMinutes(30), 6000));
    }
}
