using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Services;

/// <summary>A machine outside the cluster: a network namespace with one link to the node.</summary>
public sealed class Outside : IAsyncDisposable
{
    private readonly string _name;

    private Outside(string name, string address) => (_name, Address) = (name, address);

    /// <summary>Its address.</summary>
    public string Address { get; }

    /// <summary>Makes one. The number distinguishes those of one instance.</summary>
    public static async Task<Outside> CreateAsync(Instance instance, int number)
    {
        var name = $"{instance.Bridge}x{number}";
        var outside = new Outside(name, $"172.31.{number}.2");
        await outside.DisposeAsync();
        foreach (var line in new[]
                 {
                     $"netns add {name}",
                     $"link add {name} type veth peer name eth0 netns {name}",
                     $"address add 172.31.{number}.1/24 dev {name}",
                     $"link set {name} up",
                     $"-n {name} address add {outside.Address}/24 dev eth0",
                     $"-n {name} link set eth0 up",
                     $"-n {name} route add default via 172.31.{number}.1",
                 })
        {
            (await Shell.RunAsync("ip", line.Split(' '))).Ok();
        }

        return outside;
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
