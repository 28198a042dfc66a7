using System.Net;
using CsCheck;
using Podhost.Runtime.Network;

namespace Podhost.Runtime.Tests.Network;

public sealed class AddressPoolTests
{
    [Fact]
    public void Addresses_go_round_the_range_and_rest_before_they_are_used_again()
    {
        var pool = new AddressPool(IPNetwork.Parse("10.1.0.0/29"), new MemoryFiles());
        Assert.Equal("10.1.0.1", pool.Gateway.ToString());
        Assert.Equal(["10.1.0.2", "10.1.0.3"], new[] { "a", "b" }.Select(owner => pool.Reserve(owner).ToString()));
        pool.Release("a");
        Assert.Equal("10.1.0.4", pool.Reserve("c").ToString());
        Assert.Equal("10.1.0.4", pool.Reserve("c").ToString());
        Assert.Equal(["10.1.0.5", "10.1.0.6", "10.1.0.2"], new[] { "d", "e", "f" }.Select(owner => pool.Reserve(owner).ToString()));
        Assert.Throws<IOException>(() => pool.Reserve("g"));
    }

    [Fact]
    public void Addresses_of_IPv6_go_round_a_range_that_nobody_counts_to_the_end()
    {
        var pool = new AddressPool(IPNetwork.Parse("fd00:85::/64"), new MemoryFiles());
        Assert.Equal("fd00:85::1", pool.Gateway.ToString());
        Assert.Equal(["fd00:85::2", "fd00:85::3"], new[] { "a", "b" }.Select(owner => pool.Reserve(owner).ToString()));
        Assert.Throws<ArgumentException>(() => new AddressPool(IPNetwork.Parse("fd00::/127"), new MemoryFiles()));
    }

    [Fact]
    public void What_was_given_of_a_family_without_a_range_is_kept_until_its_owner_ends()
    {
        var files = new MemoryFiles();
        IPNetwork[] both = [IPNetwork.Parse("10.1.0.0/29"), IPNetwork.Parse("fd00:85::/64")];
        Assert.Equal(["10.1.0.2", "fd00:85::2"], new AddressPools(both, files).Reserve("a").Select(address => address.ToString()));
        var pools = new AddressPools([both[0]], files);
        Assert.Equal(["a"], pools.Owners());
        Assert.Equal("10.1.0.3", Assert.Single(pools.Reserve("b")).ToString());
        pools.Release("a");
        Assert.Equal(["10.1.0.3"], files.Load().Select(held => held.Address));
    }

    [Fact]
    public void Reservations_survive_on_disk_and_half_written_ones_do_not_count()
    {
        var directory = Directory.CreateTempSubdirectory("podhost-ipam");
        try
        {
            var range = IPNetwork.Parse("10.1.0.0/24");
            new AddressPool(range, new ReservationDirectory(directory.FullName)).Reserve("a");
            File.WriteAllText(Path.Combine(directory.FullName, "10.1.0.9.new"), "half");
            var pool = new AddressPool(range, new ReservationDirectory(directory.FullName));
            Assert.Equal(["a"], pool.Owners());
            Assert.Equal("10.1.0.3", pool.Reserve("b").ToString());
            pool.Release("a");
            Assert.Single(Directory.GetFiles(directory.FullName));
        }
        finally
        {
            directory.Delete(true);
        }
    }

    // A step: reserve for an owner, release of an owner, or a crash at the nth change of the files from then on.
    [Fact]
    public void No_address_has_two_owners_whatever_happens_when()
    {
        var step = Gen.Select(Gen.Int[0, 2], Gen.Int[0, 7], Gen.Int[0, 3]);
        step.Array[0, 60].Sample(steps =>
        {
            var files = new MemoryFiles();
            IPNetwork[] ranges = [IPNetwork.Parse("10.1.0.0/29"), IPNetwork.Parse("fd00::/124")];
            var pool = new AddressPools(ranges, files);
            // What owners believe to have: from the return of Reserve to the call of Release.
            var held = new Dictionary<string, IReadOnlyList<IPAddress>>();
            foreach (var (kind, number, fuse) in steps)
            {
                var owner = "owner" + number;
                try
                {
                    if (kind == 0)
                    {
                        held[owner] = pool.Reserve(owner);
                    }
                    else if (kind == 1)
                    {
                        held.Remove(owner);
                        pool.Release(owner);
                    }
                    else
                    {
                        files.Fuse = fuse;
                    }
                }
                catch (CrashException)
                {
                    files.Fuse = null;
                    pool = new AddressPools(ranges, files);
                }
                catch (IOException)
                {
                    // The range is full.
                }

                Assert.Equal(2 * held.Count, held.Values.SelectMany(addresses => addresses).Distinct().Count());
            }
        });
    }

    private sealed class CrashException : Exception;

    private sealed class MemoryFiles : IReservationFiles
    {
        private readonly Dictionary<string, string> _files = [];

        internal int? Fuse { get; set; }

        public IReadOnlyList<(string Address, string Owner)> Load() => [.. _files.Select(pair => (pair.Key, pair.Value))];

        public void Create(string address, string owner)
        {
            Assert.DoesNotContain(address, _files.Keys);
            Burn(before: true);
            _files[address] = owner;
            Burn(before: false);
        }

        public void Delete(string address)
        {
            Burn(before: true);
            _files.Remove(address);
            Burn(before: false);
        }

        // Even fuses crash before the change, odd ones after it.
        private void Burn(bool before)
        {
            if (Fuse is { } left && (left % 2 == 0) == before && (Fuse = left - 2) < 0)
            {
                throw new CrashException();
            }
        }
    }
}
