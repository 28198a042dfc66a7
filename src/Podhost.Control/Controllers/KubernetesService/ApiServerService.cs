using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Client;

namespace Podhost.Control.Controllers.KubernetesService;

/// <summary>
/// The Service <c>kubernetes</c> in the namespace default with the API server's own address behind it, so that clients in pods find the API.
/// Source: upstream's kubernetesservice controller.
/// </summary>
public static class ApiServerService
{
    private const string Name = "kubernetes";
    private const string Namespace = "default";

    /// <summary>Creates or repairs Service, Endpoints and EndpointSlice.</summary>
    /// <param name="client">A client that may write them.</param>
    /// <param name="clusterIP">Address of the Service.</param>
    /// <param name="address">Address on which the API server is reached from pods, of the same family.</param>
    /// <param name="port">Its port.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task EnsureAsync(IApiClient client, string clusterIP, string address, int port, CancellationToken cancellationToken)
    {
        await CreateOrReplaceAsync(client, Service(clusterIP, port), s => s.Spec?.ClusterIP == clusterIP, cancellationToken);
        await CreateOrReplaceAsync(
            client,
            Endpoints(address, port),
            e => e.Subsets is [{ Addresses: [var a], Ports: [var p] }] && a.Ip == address && p.Port == port,
            cancellationToken);
        await CreateOrReplaceAsync(
            client,
            Slice(address, port),
            s => s.Endpoints is [{ Addresses: [var a] }] && a == address && s.Ports is [var p] && p.Port == port,
            cancellationToken);
    }

    private static V1Service Service(string clusterIP, int port) => new()
    {
        ApiVersion = "v1",
        Kind = "Service",
        Metadata = Meta(),
        Spec = new V1ServiceSpec
        {
            ClusterIP = clusterIP,
            ClusterIPs = [clusterIP],
            IpFamilies = [Family(clusterIP)],
            IpFamilyPolicy = "SingleStack",
            Type = "ClusterIP",
            SessionAffinity = "None",
            InternalTrafficPolicy = "Cluster",
            Ports = [new V1ServicePort { Name = "https", Protocol = "TCP", Port = 443, TargetPort = port }],
        },
    };

    private static string Family(string address) => address.Contains(':', StringComparison.Ordinal) ? "IPv6" : "IPv4";

    private static V1Endpoints Endpoints(string address, int port)
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
                    Ports = [new Corev1EndpointPort { Name = "https", Port = port, Protocol = "TCP" }],
                },
            ],
        };
    }

    private static V1EndpointSlice Slice(string address, int port)
    {
        var metadata = Meta();
        metadata.Labels = new Dictionary<string, string> { ["kubernetes.io/service-name"] = Name };
        return new V1EndpointSlice
        {
            ApiVersion = "discovery.k8s.io/v1",
            Kind = "EndpointSlice",
            Metadata = metadata,
            AddressType = Family(address),
            Endpoints = [new V1Endpoint { Addresses = [address], Conditions = new V1EndpointConditions { Ready = true } }],
            Ports = [new Discoveryv1EndpointPort { Name = "https", Port = port, Protocol = "TCP" }],
        };
    }

    private static V1ObjectMeta Meta() => new()
    {
        Name = Name,
        NamespaceProperty = Namespace,
        Labels = new Dictionary<string, string> { ["component"] = "apiserver", ["provider"] = "kubernetes" },
    };

    private static async Task CreateOrReplaceAsync<T>(IApiClient client, T wanted, Func<T, bool> isRight, CancellationToken cancellationToken)
        where T : class, k8s.IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            await client.CreateAsync(wanted, cancellationToken);
            return;
        }
        catch (ApiException e) when (e.IsAlreadyExists || e.Reason == "Invalid")
        {
            // There already (a taken cluster IP is told as Invalid): look whether it is right.
        }

        var present = await client.GetAsync<T>(Namespace, Name, cancellationToken);
        if (!isRight(present))
        {
            wanted.Metadata.ResourceVersion = present.Metadata.ResourceVersion;
            await client.UpdateAsync(wanted, null, cancellationToken);
        }
    }
}
