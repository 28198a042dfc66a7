using k8s.Models;
using Podhost.Api.Certificates;

namespace Podhost.Control.Controllers.Certificates;

/// <summary>What upstream's signers of the API server's and kubelets' certificates sign. Pure.</summary>
internal static class SignerRules
{
    public const string Client = "kubernetes.io/kube-apiserver-client";
    public const string KubeletClient = "kubernetes.io/kube-apiserver-client-kubelet";
    public const string KubeletServing = "kubernetes.io/kubelet-serving";
    public const string NodesGroup = "system:nodes";
    public const string NodePrefix = "system:node:";

    private static readonly string[] ClientUsages = ["digital signature", "key encipherment", "client auth"];
    private static readonly string[] ServingUsages = ["digital signature", "key encipherment", "server auth"];

    /// <summary>True where the signer is one of ours.</summary>
    public static bool Knows(string signer) => signer is Client or KubeletClient or KubeletServing;

    /// <summary>Why a signer does not sign a request; null where it does.</summary>
    public static string? Refusal(string signer, SigningRequest request, IReadOnlyCollection<string> usages) => signer switch
    {
        Client => ClientRefusal(usages),
        KubeletClient => KubeletClientRefusal(request, usages),
        KubeletServing => KubeletServingRefusal(request, usages),
        _ => $"signer {signer} is not known",
    };

    /// <summary>A kubelet's client certificate: of the node, and nothing else.</summary>
    public static string? KubeletClientRefusal(SigningRequest request, IReadOnlyCollection<string> usages) =>
        NodeRefusal(request)
        ?? (request.DnsNames.Count > 0 ? "DNS subjectAltNames are not allowed"
            : request.Addresses.Count > 0 ? "IP subjectAltNames are not allowed"
            : request.HasOtherNames ? "Email and URI subjectAltNames are not allowed"
            : !Are(usages, ClientUsages) ? "usages did not match [\"digital signature\", \"key encipherment\", \"client auth\"], or the same without key encipherment"
            : null);

    /// <summary>A kubelet's serving certificate: of the node, for DNS names and addresses.</summary>
    public static string? KubeletServingRefusal(SigningRequest request, IReadOnlyCollection<string> usages) =>
        NodeRefusal(request)
        ?? (request.DnsNames.Count + request.Addresses.Count == 0 ? "DNS or IP subjectAltName is required"
            : request.HasOtherNames ? "Email and URI subjectAltNames are not allowed"
            : !Are(usages, ServingUsages) ? "usages did not match [\"digital signature\", \"key encipherment\", \"server auth\"], or the same without key encipherment"
            : null);

    /// <summary>Why a serving certificate is not approved by itself; null where it is: it is the node's own, for what its object says and no other node has.</summary>
    /// <param name="request">The request.</param>
    /// <param name="spec">Who asks, and for what.</param>
    /// <param name="nodes">All nodes.</param>
    public static string? ServingApprovalRefusal(SigningRequest request, V1CertificateSigningRequestSpec spec, IReadOnlyCollection<V1Node> nodes)
    {
        if (KubeletServingRefusal(request, [.. spec.Usages ?? []]) is { } refusal)
        {
            return refusal;
        }

        if (spec.Username != request.CommonName || spec.Groups?.Contains(NodesGroup) != true)
        {
            return "a node asks for its own certificate only";
        }

        var name = spec.Username[NodePrefix.Length..];
        if (nodes.FirstOrDefault(n => n.Metadata.Name == name) is not { } node)
        {
            return "the node is not registered yet";
        }

        var own = Addresses(node).ToHashSet(StringComparer.Ordinal);
        var others = nodes.Where(n => n != node).SelectMany(n => Addresses(n).Append(n.Metadata.Name)).ToHashSet(StringComparer.Ordinal);
        return request.DnsNames.Concat(request.Addresses.Select(a => a.ToString())).FirstOrDefault(n => !(n == name || own.Contains(n)) || others.Contains(n)) is { } foreign
            ? $"{foreign} is not an address of the node alone"
            : null;
    }

    private static IEnumerable<string> Addresses(V1Node node) => (node.Status?.Addresses ?? []).Select(a => a.Address);

    private static string? NodeRefusal(SigningRequest request) =>
        request.Organizations is not [NodesGroup] ? "subject organization is not system:nodes"
        : !request.CommonName.StartsWith(NodePrefix, StringComparison.Ordinal) || request.CommonName.Length == NodePrefix.Length
            ? "subject common name does not begin with system:node:"
        : null;

    private static string? ClientRefusal(IReadOnlyCollection<string> usages) =>
        usages.Except(ClientUsages).FirstOrDefault() is { } foreign ? $"usage {foreign} is not allowed"
        : !usages.Contains("client auth") ? "client auth usage is required"
        : null;

    // Key encipherment is for RSA keys.
    private static bool Are(IReadOnlyCollection<string> usages, string[] all) =>
        usages.ToHashSet().SetEquals(all) || usages.ToHashSet().SetEquals(all.Where(u => u != "key encipherment"));
}
