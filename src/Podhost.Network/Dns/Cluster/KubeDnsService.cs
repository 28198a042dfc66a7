using System.Net;
using k8s;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Client;

namespace Podhost.Network.Dns.Cluster;

/// <summary>
/// The Service <c>kube-dns</c> in the namespace kube-system, with the server behind it, so that the cluster DNS is found where users and tools look
/// for it. One of somebody else's (a CoreDNS of the user's) is left as it is.
/// </summary>
internal static class KubeDnsService
{
    private const string Name = "kube-dns";
    private const string Namespace = "kube-system";
    private const string ManagedBy = "app.kubernetes.io/managed-by";
    private const string Manager = "podhost";
    private const int Port = 53;

    /// <summary>Creates or repairs Service, Endpoints and an EndpointSlice for each family; false where another Service has the name or the address.</summary>
    /// <param name="client">May write them.</param>
    /// <param name="clusterIPs">Addresses of the Service, at most one of each family.</param>
    /// <param name="servers">Addresses on which the server listens, of each of these families.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<bool> EnsureAsync(IApiClient client, IReadOnlyList<IPAddress> clusterIPs, IReadOnlyList<IPAddress> servers, CancellationToken cancellationToken)
    {
        List<string> ips = [.. clusterIPs.Select(ip => ip.ToString())];
        if (!await EnsureAsync(client, Service(ips), s => Addresses(s.Spec).SequenceEqual(ips), cancellationToken))
        {
            return false;
        }

        var first = servers[0].ToString();
        await EnsureAsync(client, Endpoints(first), e => e.Subsets is [{ Addresses: [var a] }] && a.Ip == first, cancellationToken);
        for (var i = 0; i < servers.Count; i++)
        {
            var address = servers[i].ToString();
            await EnsureAsync(client, Slice(SliceName(i), address), s => s.Endpoints is [{ Addresses: [var a] }] && a == address, cancellationToken);
        }

        if (servers.Count == 1)
        {
            await RemoveAsync<V1EndpointSlice>(client, SliceName(1), cancellationToken);
        }

        return true;
    }

    /// <summary>Removes what an earlier start made. Idempotent.</summary>
    public static async Task RemoveAsync(IApiClient client, CancellationToken cancellationToken)
    {
        await RemoveAsync<V1Service>(client, Name, cancellationToken);
        await RemoveAsync<V1Endpoints>(client, Name, cancellationToken);
        await RemoveAsync<V1EndpointSlice>(client, SliceName(0), cancellationToken);
        await RemoveAsync<V1EndpointSlice>(client, SliceName(1), cancellationToken);
    }

    // That of the first family has the Service's name.
    private static string SliceName(int family) => family == 0 ? Name : Name + "-2";

    private static IEnumerable<string> Addresses(V1ServiceSpec? spec) => spec?.ClusterIPs is { Count: > 0 } several ? several : [spec?.ClusterIP ?? ""];

    private static string Family(string address) => address.Contains(':', StringComparison.Ordinal) ? "IPv6" : "IPv4";

    private static V1Service Service(List<string> clusterIPs)
    {
        var metadata = Meta();
        metadata.Annotations = new Dictionary<string, string> { ["prometheus.io/scrape"] = "false" };
        return new V1Service
        {
            ApiVersion = "v1",
            Kind = "Service",
            Metadata = metadata,
            Spec = new V1ServiceSpec
            {
                ClusterIP = clusterIPs[0],
                ClusterIPs = clusterIPs,
                IpFamilies = [.. clusterIPs.Select(Family)],
                IpFamilyPolicy = clusterIPs.Count > 1 ? "PreferDualStack" : "SingleStack",
                Ports =
                [
                    new V1ServicePort { Name = "dns", Protocol = "UDP", Port = Port, TargetPort = Port },
                    new V1ServicePort { Name = "dns-tcp", Protocol = "TCP", Port = Port, TargetPort = Port },
                ],
            },
        };
    }

    private static V1Endpoints Endpoints(string address)
    {
        var metadata = Meta();
        metadata.Labels["endpointslice.kubernetes.io/skip-mirror"] = "true";
        return new V1Endpoints
        {
            ApiVersion = "v1",
            Kind = "Endpoints",
            Metadata = metadata,
            Subsets =
            [
                new V1EndpointSubset
                {
                    Addresses = [new V1EndpointAddress { Ip = address }],
                    Ports =
                    [
                        new Corev1EndpointPort { Name = "dns", Port = Port, Protocol = "UDP" },
                        new Corev1EndpointPort { Name = "dns-tcp", Port = Port, Protocol = "TCP" },
                    ],
                },
            ],
        };
    }

    private static V1EndpointSlice Slice(string name, string address)
    {
        var metadata = Meta();
        metadata.Name = name;
        metadata.Labels["kubernetes.io/service-name"] = Name;
        metadata.Labels["endpointslice.kubernetes.io/managed-by"] = "podhost.io";
        return new V1EndpointSlice
        {
            ApiVersion = "discovery.k8s.io/v1",
            Kind = "EndpointSlice",
            Metadata = metadata,
            AddressType = Family(address),
            Endpoints = [new V1Endpoint { Addresses = [address], Conditions = new V1EndpointConditions { Ready = true } }],
            Ports =
            [
                new Discoveryv1EndpointPort { Name = "dns", Port = Port, Protocol = "UDP" },
                new Discoveryv1EndpointPort { Name = "dns-tcp", Port = Port, Protocol = "TCP" },
            ],
        };
    }

    private static V1ObjectMeta Meta() => new()
    {
        Name = Name,
        NamespaceProperty = Namespace,
        Labels = new Dictionary<string, string>
        {
            ["k8s-app"] = Name,
            ["kubernetes.io/cluster-service"] = "true",
            ["kubernetes.io/name"] = "KubeDNS",
            [ManagedBy] = Manager,
        },
    };

    private static async Task<bool> EnsureAsync<T>(IApiClient client, T wanted, Func<T, bool> isRight, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var name = wanted.Metadata.Name;
        var present = await FindAsync<T>(client, name, cancellationToken);
        if (present is not null && (isRight(present) || !IsOurs(present)))
        {
            return IsOurs(present);
        }

        try
        {
            if (present is not null)
            {
                // The address of a Service cannot be changed: it is made again.
                await client.DeleteAsync<T>(Namespace, name, null, cancellationToken);
            }

            await client.CreateAsync(wanted, cancellationToken);
            return true;
        }
        catch (ApiException e) when (e.Reason == "Invalid" || e.IsAlreadyExists)
        {
            return false;
        }
    }

    private static async Task RemoveAsync<T>(IApiClient client, string name, CancellationToken cancellationToken) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        if (await FindAsync<T>(client, name, cancellationToken) is { } present && IsOurs(present))
        {
            await client.DeleteAsync<T>(Namespace, name, null, cancellationToken);
        }
    }

    private static async Task<T?> FindAsync<T>(IApiClient client, string name, CancellationToken cancellationToken) where T : class, IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            return await client.GetAsync<T>(Namespace, name, cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    private static bool IsOurs(IKubernetesObject<V1ObjectMeta> present) =>
        present.Metadata.Labels is { } labels && labels.TryGetValue(ManagedBy, out var by) && by == Manager;
}
