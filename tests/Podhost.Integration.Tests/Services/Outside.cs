using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Services;

/// <summary>A machine outside the cluster: a network namespace with one link to the node.</summary>
public sealed class Outside : IAsyncDisposable
{
    private readonly string _name;

    private Outside(string name, string address) => (_name, Address) = (name, address);

    /// <summary>Its address.</summary>
    public string Address { get; }

    /// <summary>Makes one. The number, 1 to 4, distinguishes those of one instance; instances have names and addresses of their own.</summary>
    public static async Task<Outside> CreateAsync(Instance instance, int number)
    {
        var name = $"{instance.Bridge}x{number}";
        var (node, address) = (LinkAddress(instance, number, 0), LinkAddress(instance, number, 1));
        var outside = new Outside(name, address);
        await outside.DisposeAsync();
        foreach (var line in new[]
                 {
                     $"netns add {name}",
                     $"link add {name} type veth peer name eth0 netns {name}",
                     $"address add {node}/31 dev {name}",
                     $"link set {name} up",
                     $"-n {name} address add {address}/31 dev eth0",
                     $"-n {name} link set eth0 up",
                     $"-n {name} route add default via {node}",
                 })
        {
            (await Shell.RunAsync("ip", line.Split(' '))).Ok();
        }

        return outside;
    }

    // One of two addresses of a link, from the range for tests between networks (198.18.0.0/15).
    private static string LinkAddress(Instance instance, int number, int end)
    {
        var index = (((instance.Number * 4) + number - 1) * 2) + end;
        return $"198.{18 + (index >> 16)}.{(index >> 8) & 255}.{index & 255}";
    }

    /// <summary>A page; null where it cannot be had within two seconds.</summary>
    public async Task<string?> GetAsync(string url)
    {
        var ran = await Shell.RunAsync("ip", ["netns", "exec", _name, "curl", "--silent", "--noproxy", "*", "--max-time", "2", $"http://{url}"]);
        return ran.Code == 0 ? ran.Out.Trim().Replace("[::ffff:", "", StringComparison.Ordinal).Trim(']') : null;
    }

    public async ValueTask DisposeAsync()
    {
        await Shell.RunAsync("ip", ["link", "delete", _name]);
        await Shell.RunAsync("ip", ["netns", "delete", _name]);
    }
}
