using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.Api.Validation;

namespace Podhost.ApiServer.Admission.Plugins;

/// <summary>
/// Gives Services their cluster IPs and node ports, each to one Service only. Addresses in use are read from the Services themselves, those of
/// writes that are not committed yet are reserved here: nothing to repair after a crash. Source: upstream's service REST allocators.
/// </summary>
public sealed class ServiceAddressesPlugin : IAdmissionPlugin
{
    private const int FirstNodePort = 30000;
    private const int NodePortCount = 2768;
    private static readonly ResourceInfo Services = ResourceTable.For<V1Service>();

    private readonly IPNetwork _range;
    private readonly uint _first;
    private readonly uint _count;
    private readonly Lock _gate = new();
    private readonly HashSet<string> _reservedAddresses = [];
    private readonly HashSet<int> _reservedPorts = [];

    /// <summary>Allocates from an IPv4 range.</summary>
    /// <param name="serviceCidr">The range, for example 10.96.0.0/12; network, first (the API server's own Service) and broadcast addresses are kept.</param>
    public ServiceAddressesPlugin(IPNetwork serviceCidr)
    {
        if (serviceCidr.BaseAddress.AddressFamily != AddressFamily.InterNetwork || serviceCidr.PrefixLength is < 8 or > 28)
        {
            throw new ArgumentException($"the service range {serviceCidr} must be IPv4 with a prefix between /8 and /28", nameof(serviceCidr));
        }

        _range = serviceCidr;
        _first = ToNumber(serviceCidr.BaseAddress) + 2;
        _count = (1u << (32 - serviceCidr.PrefixLength)) - 3;
    }

    /// <summary>The address of the Service <c>kubernetes</c>: the first of the range.</summary>
    public IPAddress ApiServerAddress => FromNumber(_first - 1);

    /// <summary>The address of the cluster DNS, kept for it: the tenth of the range, as everywhere.</summary>
    public IPAddress ClusterDnsAddress => FromNumber(_first + 8);

    /// <summary>An address of the DNS server's own, kept for nodes whose pod network has none for it: the eleventh of the range.</summary>
    public IPAddress DnsServerAddress => FromNumber(_first + 9);

    /// <inheritdoc />
    public string Name => "ServiceAddresses";

    /// <inheritdoc />
    public bool Handles(AdmissionRequest request) =>
        request.Resource == Services && request.Subresource.Length == 0 && request.Operation is AdmissionOperation.Create or AdmissionOperation.Update;

    /// <inheritdoc />
    public ValueTask AdmitAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        var service = request.Object!;
        if (service["spec"] is not JsonObject spec)
        {
            return ValueTask.CompletedTask;
        }

        var type = PodAdmission.Text(spec["type"]) ?? "ClusterIP";
        if (type == "ExternalName")
        {
            foreach (var field in (string[])["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"])
            {
                spec.Remove(field);
            }

            return ValueTask.CompletedTask;
        }

        ServiceFamilies.Apply(spec, request.Name);
        lock (_gate)
        {
            KeepOld(spec, request.OldObject?["spec"] as JsonObject);
            var others = Others(request);
            AllocateAddress(request, spec, others);
            AllocatePorts(request, spec, type, others);
        }

        spec["internalTrafficPolicy"] ??= "Cluster";
        return ValueTask.CompletedTask;
    }

    // A replace without addresses keeps those that the Service has.
    private static void KeepOld(JsonObject spec, JsonObject? old)
    {
        if (old is null)
        {
            return;
        }

        if (string.IsNullOrEmpty(PodAdmission.Text(spec["clusterIP"])) && old["clusterIP"] is { } address)
        {
            spec["clusterIP"] = address.DeepClone();
            spec["clusterIPs"] = old["clusterIPs"]?.DeepClone();
        }

        foreach (var port in ((spec["ports"] as JsonArray) ?? []).OfType<JsonObject>().Where(p => p["nodePort"] is null))
        {
            var before = ((old["ports"] as JsonArray) ?? []).OfType<JsonObject>()
                .FirstOrDefault(p => JsonNode.DeepEquals(p["port"], port["port"]) && JsonNode.DeepEquals(p["protocol"], port["protocol"]));
            if (before?["nodePort"] is { } nodePort && PodAdmission.Text(spec["type"]) is "NodePort" or "LoadBalancer")
            {
                port["nodePort"] = nodePort.DeepClone();
            }
        }
    }

    private static List<JsonObject> Others(AdmissionRequest request) =>
    [
        .. request.Objects.List(Services)
            .Where(s => s.Namespace != request.Namespace || s.Name != request.Name || request.Operation == AdmissionOperation.Create)
            .Select(s => s.ToObject()["spec"] as JsonObject)
            .OfType<JsonObject>(),
    ];

    private void AllocateAddress(AdmissionRequest request, JsonObject spec, List<JsonObject> others)
    {
        var wanted = PodAdmission.Text(spec["clusterIP"]);
        if (wanted == "None")
        {
            spec["clusterIPs"] = new JsonArray("None");
            return;
        }

        var used = others.Select(s => PodAdmission.Text(s["clusterIP"])).OfType<string>().ToHashSet();
        if (!string.IsNullOrEmpty(wanted))
        {
            if (request.Operation == AdmissionOperation.Create || PodAdmission.Text(request.OldObject?["spec"]?["clusterIP"]) != wanted)
            {
                CheckWanted(request, wanted, used);
            }
        }
        else
        {
            wanted = Free(used);
            spec["clusterIP"] = wanted;
        }

        Reserve(request, _reservedAddresses, wanted);
        spec["clusterIPs"] = new JsonArray(wanted);
    }

    private void CheckWanted(AdmissionRequest request, string wanted, HashSet<string> used)
    {
        if (!IPAddress.TryParse(wanted, out var address))
        {
            return; // the validator says it better
        }

        var detail = !_range.Contains(address)
            ? $"failed to allocate IP {wanted}: the provided IP is not in the valid range. The range of valid IPs is {_range}"
            : used.Contains(wanted) || _reservedAddresses.Contains(wanted) ? $"failed to allocate IP {wanted}: provided IP is already allocated" : null;
        if (detail is not null)
        {
            throw ApiException.Invalid("", "Service", request.Name, [FieldError.Invalid("spec.clusterIPs", $"[\"{wanted}\"]", detail)]);
        }
    }

    private string Free(HashSet<string> used)
    {
        string[] kept = [ClusterDnsAddress.ToString(), DnsServerAddress.ToString()];
        var start = (uint)RandomNumberGenerator.GetInt32((int)Math.Min(_count, int.MaxValue));
        for (var i = 0u; i < _count; i++)
        {
            var candidate = FromNumber(_first + ((start + i) % _count)).ToString();
            if (!used.Contains(candidate) && !_reservedAddresses.Contains(candidate) && !kept.Contains(candidate))
            {
                return candidate;
            }
        }

        throw ApiException.Internal("failed to allocate a serviceIP: range is full");
    }

    private void AllocatePorts(AdmissionRequest request, JsonObject spec, string type, List<JsonObject> others)
    {
        var ports = PortsOf(spec);
        var before = PortsOf(request.OldObject?["spec"] as JsonObject).Select(NodePort).Where(p => p > 0).ToHashSet();
        if (type is not ("NodePort" or "LoadBalancer"))
        {
            // Those that came with the type go with it; one that is new is the validator's to refuse.
            ports.Where(p => NodePort(p) == 0 || before.Contains(NodePort(p))).ToList().ForEach(p => p.Remove("nodePort"));
            return;
        }

        var used = others.SelectMany(PortsOf).Select(NodePort).Where(p => p > 0).ToHashSet();
        HashSet<int> kept = [.. used, .. before, .. ports.Select(NodePort)];
        var own = new Dictionary<long, int>();
        for (var i = 0; i < ports.Count; i++)
        {
            var wanted = NodePort(ports[i]);
            if (wanted > 0 && !own.ContainsValue(wanted))
            {
                CheckWantedPort(request, i, wanted, !before.Contains(wanted) && (used.Contains(wanted) || _reservedPorts.Contains(wanted)));
            }
            else if (wanted == 0)
            {
                // One number serves TCP and UDP where the Service has one port of both.
                wanted = own.TryGetValue(Number(ports[i]["port"]), out var same) ? same : FreePort(kept);
                ports[i]["nodePort"] = (long)wanted;
            }

            kept.Add(wanted);
            own.TryAdd(Number(ports[i]["port"]), wanted);
            Reserve(request, _reservedPorts, wanted);
        }
    }

    private static void CheckWantedPort(AdmissionRequest request, int index, int wanted, bool isTaken)
    {
        var detail = wanted is < FirstNodePort or >= FirstNodePort + NodePortCount
            ? $"provided port is not in the valid range. The range of valid ports is {FirstNodePort}-{FirstNodePort + NodePortCount - 1}"
            : isTaken ? "provided port is already allocated" : null;
        if (detail is not null)
        {
            throw ApiException.Invalid("", "Service", request.Name, [FieldError.Invalid($"spec.ports[{index}].nodePort", $"{wanted}", detail)]);
        }
    }

    private static List<JsonObject> PortsOf(JsonObject? spec) => [.. ((spec?["ports"] as JsonArray) ?? []).OfType<JsonObject>()];

    private int FreePort(HashSet<int> used)
    {
        var start = RandomNumberGenerator.GetInt32(NodePortCount);
        for (var i = 0; i < NodePortCount; i++)
        {
            var candidate = FirstNodePort + ((start + i) % NodePortCount);
            if (!used.Contains(candidate) && !_reservedPorts.Contains(candidate))
            {
                return candidate;
            }
        }

        throw ApiException.Internal("failed to allocate a nodePort: range is full");
    }

    // Held until the write is visible to the readers of the cache or failed; a committed one is released only after the cache shows it.
    private void Reserve<T>(AdmissionRequest request, HashSet<T> reserved, T value)
    {
        if (!reserved.Add(value))
        {
            return;
        }

        request.OnCompleted(committed =>
        {
            if (committed)
            {
                _ = ReleaseWhenVisibleAsync(request, reserved, value);
                return;
            }

            Release(reserved, value);
        });
    }

    private async Task ReleaseWhenVisibleAsync<T>(AdmissionRequest request, HashSet<T> reserved, T value)
    {
        try
        {
            await request.Objects.CatchUpAsync(CancellationToken.None);
        }
        finally
        {
            Release(reserved, value);
        }
    }

    private void Release<T>(HashSet<T> reserved, T value)
    {
        lock (_gate)
        {
            reserved.Remove(value);
        }
    }

    private static int NodePort(JsonObject port) => Number(port["nodePort"]) is var n and > 0 and <= int.MaxValue ? (int)n : 0;

    // A number that was read is a long, whatever its size.
    private static long Number(JsonNode? node) => node is not JsonValue value ? 0
        : value.TryGetValue<long>(out var wide) ? wide
        : value.TryGetValue<int>(out var narrow) ? narrow : 0;

    private static uint ToNumber(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }

    private static IPAddress FromNumber(uint number)
    {
        Span<byte> bytes = stackalloc byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return new IPAddress(bytes);
    }
}
