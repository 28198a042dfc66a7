using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Resources;
using Podhost.Api.Validation;
using Podhost.Api.Validation.Services;

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

    private readonly Lock _gate = new();
    private readonly HashSet<string> _reservedAddresses = [];
    private readonly HashSet<int> _reservedPorts = [];

    /// <summary>Allocates from ranges, one of each family that the cluster has.</summary>
    /// <param name="serviceCidrs">The ranges, that of the default family first: see <see cref="ServiceRange"/>.</param>
    public ServiceAddressesPlugin(params IReadOnlyList<IPNetwork> serviceCidrs) => Ranges = [.. serviceCidrs.Select(range => new ServiceRange(range))];

    /// <summary>The ranges, that of the default family first.</summary>
    public IReadOnlyList<ServiceRange> Ranges { get; }

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
        var old = request.OldObject?["spec"] as JsonObject;
        ServiceTypeFields.Drop(spec, old);
        if (type == "ExternalName")
        {
            foreach (var field in (string[])["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"])
            {
                spec.Remove(field);
            }

            return ValueTask.CompletedTask;
        }

        KeepOld(spec, old);
        NormalizeAddresses(spec, old);
        var areFine = ServiceAddressFields.AreFine(service);
        if (areFine)
        {
            ServiceFamilies.Apply(spec, old, request.Name, [.. Ranges.Select(range => range.Family)]);
        }

        lock (_gate)
        {
            var others = Others(request);
            // What is wrong is the validator's to tell.
            if (areFine && !ServiceFamilies.IsHeadless(spec))
            {
                AllocateAddresses(request, spec, others);
            }

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
        }

        if (spec["clusterIPs"] is not JsonArray { Count: > 0 } && old["clusterIPs"] is JsonArray { Count: > 0 } addresses)
        {
            spec["clusterIPs"] = addresses.DeepClone();
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

    // Old clients know clusterIP only: where it alone is given, or changes alone, it decides.
    private static void NormalizeAddresses(JsonObject spec, JsonObject? old)
    {
        var (now, before) = (PodAdmission.Text(spec["clusterIP"]) ?? "", PodAdmission.Text(old?["clusterIP"]) ?? "");
        var addresses = ServiceFamilies.List(spec, "clusterIPs");
        if (now.Length > 0 && (addresses.Count == 0 || (old is not null && now != before && addresses.SequenceEqual(ServiceFamilies.List(old, "clusterIPs")))))
        {
            spec["clusterIPs"] = new JsonArray(now);
        }
    }

    private static List<JsonObject> Others(AdmissionRequest request) =>
    [
        .. request.Objects.List(Services)
            .Where(s => s.Namespace != request.Namespace || s.Name != request.Name || request.Operation == AdmissionOperation.Create)
            .Select(s => s.ToObject()["spec"] as JsonObject)
            .OfType<JsonObject>(),
    ];

    private void AllocateAddresses(AdmissionRequest request, JsonObject spec, List<JsonObject> others)
    {
        var used = others.SelectMany(AddressesOf).ToHashSet();
        var own = AddressesOf(request.OldObject?["spec"] as JsonObject).ToHashSet();
        var addresses = ServiceFamilies.List(spec, "clusterIPs");
        foreach (var (index, family) in ServiceFamilies.List(spec, "ipFamilies").Index())
        {
            if (index < addresses.Count)
            {
                if (!own.Contains(Canonical(addresses[index])))
                {
                    CheckWanted(request, Range(family), addresses, index, used);
                }
            }
            else
            {
                addresses.Add(Range(family).Free(candidate => used.Contains(candidate) || _reservedAddresses.Contains(candidate))
                    ?? throw ApiException.Internal("failed to allocate a serviceIP: range is full"));
            }

            Reserve(request, _reservedAddresses, Canonical(addresses[index]));
        }

        spec["clusterIP"] = addresses[0];
        spec["clusterIPs"] = ServiceFamilies.Array(addresses);
    }

    private ServiceRange Range(string family) => Ranges.FirstOrDefault(range => range.Family == family) ?? Ranges[0];

    private void CheckWanted(AdmissionRequest request, ServiceRange range, List<string> addresses, int index, HashSet<string> used)
    {
        var wanted = Canonical(addresses[index]);
        var detail = !range.Network.Contains(IPAddress.Parse(wanted))
            ? $"failed to allocate IP {wanted}: the provided IP is not in the valid range. The range of valid IPs is {range.Network}"
            : used.Contains(wanted) || _reservedAddresses.Contains(wanted) ? $"failed to allocate IP {wanted}: provided IP is already allocated" : null;
        if (detail is not null)
        {
            throw ApiException.Invalid("", "Service", request.Name, [FieldError.Invalid("spec.clusterIPs", ServiceFamilies.Printed(addresses), detail)]);
        }
    }

    // Services of an older store have clusterIP only.
    private static IEnumerable<string> AddressesOf(JsonObject? spec) =>
        ServiceFamilies.List(spec, "clusterIPs").Append(PodAdmission.Text(spec?["clusterIP"]) ?? "").Where(text => text is not ("" or "None")).Select(Canonical);

    private static string Canonical(string address) => IPAddress.TryParse(address, out var parsed) ? parsed.ToString() : address;

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
}
