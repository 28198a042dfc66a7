using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Podhost.Cri.V1;
using Podhost.Linux.Native;
using Podhost.Linux.Netlink;
using Podhost.Linux.Nftables;
using Podhost.Runtime.Network.Firewall;

namespace Podhost.Runtime.Network;

/// <summary>
/// The built-in network: a bridge with the first address of each range, a veth pair for each pod, masquerading, host ports. Over rtnetlink;
/// nft runs only when host ports change. Two ranges, of IPv4 and IPv6, make pods of both families.
/// </summary>
internal sealed partial class BridgeNetwork : IPodNetwork, IDisposable
{
    private const string InterfaceName = "eth0";
    private const string VethPrefix = "ph";
    private const int VethIdLength = 12;
    private readonly EmbeddedRuntimeOptions _options;
    private readonly AddressPools _addresses;
    private readonly INftables _nftables;
    private readonly IHostFirewall _firewall;
    private readonly ILogger _logger;
    private readonly SemaphoreSlim _portsGate = new(1, 1);
    private readonly Dictionary<string, IReadOnlyList<HostPort>> _ports = new(StringComparer.Ordinal);
    private readonly Lock _netlinkLock = new();
    private NetlinkSocket? _socket;
    private int _bridgeIndex;

    internal BridgeNetwork(EmbeddedRuntimeOptions options, RuntimePaths paths, INftables nftables, IHostFirewall firewall, ILogger logger)
    {
        (_options, _nftables, _firewall, _logger) = (options, nftables, firewall, logger);
        _addresses = new AddressPools(options.PodCidrs, new ReservationDirectory(paths.Addresses));
    }

    public string? Problem { get; private set; } = "the network is not prepared yet";

    public async Task PrepareAsync(IReadOnlyList<ExistingAttachment> existing, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var attachment in existing)
            {
                _ports[attachment.SandboxId] = [.. HostPort.From(attachment.Ports, attachment.Addresses)];
            }

            EnsureBridge();
            EnsureForwarding();
            await ForgetIPv6Async(cancellationToken);
            await _nftables.ApplyAsync(HostPortRules.Replace(_options.Bridge, _options.PodCidrs, _ports.Values.SelectMany(ports => ports)), cancellationToken);
            await PassFirewallAsync(cancellationToken);
            Problem = null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            Problem = $"bridge {_options.Bridge}: {failure.Message}";
            LogNotReady(failure, _options.Bridge);
        }
    }

    public async Task<IReadOnlyList<string>> SetUpAsync(PodNetworkRequest request, CancellationToken cancellationToken)
    {
        if (Problem is not null)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, $"the pod network is not ready: {Problem}"));
        }

        RefuseShaping(request.Config);
        var addresses = _addresses.Reserve(request.SandboxId);
        IReadOnlyList<string> texts = [.. addresses.Select(address => address.ToString())];
        Connect(request, addresses);
        var ports = HostPorts(request, texts);
        if (ports.Count > 0)
        {
            await ChangePortsAsync(request.SandboxId, ports, cancellationToken);
        }

        return texts;
    }

    public async Task TearDownAsync(string sandboxId, CancellationToken cancellationToken)
    {
        if (_ports.ContainsKey(sandboxId))
        {
            await ChangePortsAsync(sandboxId, [], cancellationToken);
        }

        WithNetlink(netlink => netlink.DeleteLink(VethName(sandboxId)));
        // Last: from here on the addresses are another pod's.
        _addresses.Release(sandboxId);
    }

    public IReadOnlyList<string> Attachments()
    {
        var prefix = VethPrefix;
        var links = WithNetlink(netlink => netlink.Links())
            .Where(link => link.Master == _bridgeIndex && link.Kind == "veth" && link.Name.Length == VethIdLength + prefix.Length && link.Name.StartsWith(prefix, StringComparison.Ordinal))
            .Select(link => link.Name[prefix.Length..]);
        return [.. _addresses.Owners(), .. links];
    }

    public NetworkInterfaceUsage? Usage(string sandboxId) => InterfaceCounters.SeenFromPod(InterfaceName, VethName(sandboxId));

    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        await NftNames.RemoveAsync(_nftables, NftNames.PodNetwork(_options.Bridge), cancellationToken);
        await _firewall.CloseAsync(_options.Bridge, cancellationToken);
        WithNetlink(netlink => netlink.DeleteLink(_options.Bridge));
        Problem = "the network was removed";
    }

    public void Dispose()
    {
        _portsGate.Dispose();
        _socket?.Dispose();
    }

    internal static string VethName(string sandboxId) => VethPrefix + sandboxId[..Math.Min(VethIdLength, sandboxId.Length)];

    // 0a:58 and the address, as CNI's bridge plugin does: a new pod with an old address needs no ARP timeout.
    internal static byte[] HardwareAddress(IPAddress address) => [0x0a, 0x58, .. address.GetAddressBytes()[^4..]];

    private static List<HostPort> HostPorts(PodNetworkRequest request, IReadOnlyList<string> addresses)
    {
        try
        {
            return [.. HostPort.From(request.Ports, addresses)];
        }
        catch (ArgumentException failure)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, failure.Message));
        }
    }

    private static void RefuseShaping(PodSandboxConfig config)
    {
        if (config.Annotations.Keys.FirstOrDefault(key => key is "kubernetes.io/ingress-bandwidth" or "kubernetes.io/egress-bandwidth") is { } annotation)
        {
            throw new RpcException(new Status(StatusCode.Unimplemented, $"{annotation}: the built-in bridge network shapes no traffic; a CNI network with the bandwidth plugin does"));
        }
    }

    private void Connect(PodNetworkRequest request, IReadOnlyList<IPAddress> addresses)
    {
        using var handle = Descriptors.OpenReadOnly(request.NamespacePath);
        var veth = VethName(request.SandboxId);
        WithNetlink(host =>
        {
            host.CreateVeth(new VethRequest(veth, _bridgeIndex, InterfaceName, handle, HardwareAddress(addresses[0]), _options.Mtu));
            host.SetHairpin(host.FindLink(veth)!.Index);
        });
        var inside = new RouteNetlink(request.Inside);
        var eth0 = inside.FindLink(InterfaceName)!.Index;
        // Before the addresses: an interface that is down takes no route of IPv6.
        inside.SetUp(eth0);
        foreach (var ((address, range), gateway) in addresses.Zip(_options.PodCidrs).Zip(_addresses.Gateways))
        {
            inside.AddAddress(eth0, address, range.PrefixLength);
            inside.AddDefaultRoute(gateway, eth0);
        }
    }

    private async Task ChangePortsAsync(string sandboxId, IReadOnlyList<HostPort> ports, CancellationToken cancellationToken)
    {
        await _portsGate.WaitAsync(cancellationToken);
        try
        {
            var taken = _ports.Where(pair => pair.Key != sandboxId).SelectMany(pair => pair.Value).Select(port => port.Key).ToHashSet(StringComparer.Ordinal);
            if (ports.FirstOrDefault(port => taken.Contains(port.Key)) is { } conflict)
            {
                throw new RpcException(new Status(StatusCode.FailedPrecondition, $"host port {conflict.Number}/{conflict.Protocol} is in use by another pod"));
            }

            var after = _ports.Where(pair => pair.Key != sandboxId).SelectMany(pair => pair.Value).Concat(ports);
            await _nftables.ApplyAsync(HostPortRules.Replace(_options.Bridge, _options.PodCidrs, after), cancellationToken);
            if (ports.Count > 0)
            {
                _ports[sandboxId] = ports;
            }
            else
            {
                _ports.Remove(sandboxId);
            }
        }
        finally
        {
            _portsGate.Release();
        }
    }

    private void EnsureBridge() => WithNetlink(netlink =>
    {
        var link = netlink.FindLink(_options.Bridge);
        if (link is null)
        {
            netlink.CreateBridge(_options.Bridge, HardwareAddress(_addresses.Gateways[0]));
            link = netlink.FindLink(_options.Bridge)!;
        }
        else if (link.Kind != "bridge")
        {
            throw new IOException($"interface {_options.Bridge} exists and is no bridge");
        }

        netlink.SetUp(link.Index);
        IPv6Settings.OfBridge(_options.Bridge, HasIPv6);
        foreach (var (gateway, range) in _addresses.Gateways.Zip(_options.PodCidrs))
        {
            netlink.AddAddress(link.Index, gateway, range.PrefixLength);
        }

        _bridgeIndex = link.Index;
    });

    private bool HasIPv6 => _options.PodCidrs.Any(range => range.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6);

    // What an earlier run with a range of IPv6 left: its addresses tell.
    private async Task ForgetIPv6Async(CancellationToken cancellationToken)
    {
        var left = HasIPv6 ? [] : IPv6Settings.AddressesOf(_options.Bridge);
        if (left.Count > 0)
        {
            string[] tables = [NftNames.PodNetwork(_options.Bridge), NftNames.Services(_options.Bridge), NftNames.NodeRoutes(_options.Bridge)];
            await NftNames.RemoveIPv6Async(_nftables, tables, cancellationToken);
            WithNetlink(netlink => left.ToList().ForEach(address => netlink.DeleteAddress(_bridgeIndex, address.BaseAddress, address.PrefixLength)));
        }
    }

    private void EnsureForwarding()
    {
        if (HasIPv6)
        {
            IPv6Settings.EnsureForwarding();
        }

        File.WriteAllText("/proc/sys/net/ipv4/ip_forward", "1");
        // Connections from 127.0.0.1 to a host port leave by the bridge after their destination is changed.
        File.WriteAllText($"/proc/sys/net/ipv4/conf/{_options.Bridge}/route_localnet", "1");
    }

    // Pods work without where nothing is filtered; where something is, the log says why they do not.
    private async Task PassFirewallAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _firewall.OpenAsync(_options.Bridge, HasIPv6, cancellationToken);
        }
        catch (IOException failure)
        {
            LogFirewall(failure, _options.Bridge);
        }
    }

    private void WithNetlink(Action<RouteNetlink> action) => WithNetlink(netlink =>
    {
        action(netlink);
        return true;
    });

    private T WithNetlink<T>(Func<RouteNetlink, T> action)
    {
        lock (_netlinkLock)
        {
            return action(new RouteNetlink(_socket ??= NetlinkSocket.Open()));
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The machine's firewall could not be told to let the traffic of bridge {Bridge} through")]
    private partial void LogFirewall(Exception failure, string bridge);

    [LoggerMessage(Level = LogLevel.Error, Message = "The pod network on bridge {Bridge} is not ready")]
    private partial void LogNotReady(Exception failure, string bridge);
}
