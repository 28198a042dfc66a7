using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Joining;

/// <summary>Two network namespaces on one link, which this machine is on too: two machines for a cluster.</summary>
internal sealed class TwoNetworks : IAsyncDisposable
{
    private readonly int _number;

    private TwoNetworks(int number) => _number = number;

    /// <summary>An address of the link: 1 is this machine's, 2 and 3 are the namespaces'.</summary>
    public static string Address(int number, int host) => $"10.{200 + (number / 250)}.{number % 250}.{host}";

    /// <summary>The path of a namespace, 2 or 3.</summary>
    public string Namespace(int host) => $"/run/netns/{Name(host)}";

    /// <summary>Makes them.</summary>
    public static async Task<TwoNetworks> CreateAsync(int number)
    {
        var made = new TwoNetworks(number);
        try
        {
            var link = made.Link;
            await IpAsync($"link add {link} type bridge");
            await IpAsync($"addr add {Address(number, 1)}/24 dev {link}");
            await IpAsync($"link set {link} up");
            foreach (var host in (int[])[2, 3])
            {
                var name = made.Name(host);
                await IpAsync($"netns add {name}");
                await IpAsync($"link add {name} type veth peer name eth0 netns {name}");
                await IpAsync($"link set {name} master {link} up");
                await IpAsync($"-n {name} link set lo up");
                await IpAsync($"-n {name} addr add {Address(number, host)}/24 dev eth0");
                await IpAsync($"-n {name} link set eth0 up");
                await IpAsync($"-n {name} route add default via {Address(number, 1)}");
            }

            return made;
        }
        catch
        {
            await made.DisposeAsync();
            throw;
        }
    }

    /// <summary>The routes of a namespace, as ip prints them.</summary>
    public async Task<string> RoutesAsync(int host) => await IpAsync($"-n {Name(host)} route");

    public async ValueTask DisposeAsync()
    {
        foreach (var host in (int[])[2, 3])
        {
            await Shell.RunAsync("ip", ["netns", "delete", Name(host)]);
        }

        await Shell.RunAsync("ip", ["link", "delete", Link]);
    }

    private string Link => $"phl{_number}";

    private string Name(int host) => $"phn{_number}-{host}";

    private static async Task<string> IpAsync(string line) => (await Shell.RunAsync("ip", line.Split(' '))).Ok();
}
