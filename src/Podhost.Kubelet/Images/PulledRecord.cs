using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Podhost.Kubelet.Images;

/// <summary>With what this kubelet pulled an image: who may use it without being asked for a credential again.</summary>
/// <param name="ImageRef">The runtime's ID of the image.</param>
/// <param name="UpdatedAt">When it was pulled last.</param>
/// <param name="ByRepository">For each repository that it came from: what it was pulled with.</param>
internal sealed record PulledRecord(string ImageRef, DateTimeOffset UpdatedAt, ImmutableDictionary<string, PulledWith> ByRepository)
{
    private const string Kind = "ImagePulledRecord";
    private const string ApiVersion = "kubelet.config.k8s.io/v1beta1";

    /// <summary>The record as upstream's kubelet has it on the disk.</summary>
    public string ToJson()
    {
        var mapping = new JsonObject();
        foreach (var (repository, with) in ByRepository.OrderBy(e => e.Key, StringComparer.Ordinal))
        {
            mapping[repository] = with.ToJson();
        }

        return new JsonObject
        {
            ["kind"] = Kind,
            ["apiVersion"] = ApiVersion,
            ["lastUpdatedTime"] = UpdatedAt.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
            ["imageRef"] = ImageRef,
            ["credentialMapping"] = mapping,
        }.ToJsonString();
    }

    /// <summary>Reads a record.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static PulledRecord Parse(string json)
    {
        try
        {
            var document = JsonNode.Parse(json) as JsonObject;
            if (document?["kind"]?.GetValue<string>() != Kind || document["credentialMapping"] is not JsonObject mapping)
            {
                throw new FormatException("not an " + Kind);
            }

            var repositories = ImmutableDictionary.CreateBuilder<string, PulledWith>(StringComparer.Ordinal);
            foreach (var (repository, node) in mapping)
            {
                repositories[repository] = PulledWith.Parse(node as JsonObject ?? []);
            }

            var at = DateTimeOffset.Parse(document["lastUpdatedTime"]!.GetValue<string>(), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
            return new PulledRecord(document["imageRef"]!.GetValue<string>(), at, repositories.ToImmutable());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException)
        {
            throw new FormatException(e.Message, e);
        }
    }
}

/// <summary>What an image was pulled with from one repository.</summary>
/// <param name="Everybody">True where no credential was needed: all pods of the node may use it.</param>
/// <param name="Secrets">The Secrets that opened it.</param>
internal sealed record PulledWith(bool Everybody, ImmutableArray<PullSecret> Secrets)
{
    /// <summary>More Secrets than this are not kept: the oldest go, and are proven anew by a pull.</summary>
    private const int MaxSecrets = 100;

    public static PulledWith Nothing { get; } = new(false, []);

    public PulledWith Add(PullSecret? secret)
    {
        if (secret is null)
        {
            return this with { Everybody = true };
        }

        var others = Secrets.Where(s => (s.Uid, s.Namespace, s.Name) != (secret.Uid, secret.Namespace, secret.Name)).TakeLast(MaxSecrets - 1);
        return this with { Secrets = [.. others, secret] };
    }

    public JsonObject ToJson()
    {
        var o = new JsonObject();
        if (Everybody)
        {
            o["nodePodsAccessible"] = true;
        }

        if (Secrets.Length > 0)
        {
            o["kubernetesSecrets"] = new JsonArray([.. Secrets.Select(s => (JsonNode)new JsonObject
            {
                ["uid"] = s.Uid,
                ["namespace"] = s.Namespace,
                ["name"] = s.Name,
                ["credentialHash"] = s.Hash,
            })]);
        }

        return o;
    }

    public static PulledWith Parse(JsonObject o) => new(
        o["nodePodsAccessible"]?.GetValue<bool>() == true,
        [.. (o["kubernetesSecrets"] as JsonArray ?? []).OfType<JsonObject>().Select(s => new PullSecret(Text(s, "uid"), Text(s, "namespace"), Text(s, "name"), Text(s, "credentialHash")))]);

    private static string Text(JsonObject o, string name) => o[name]?.GetValue<string>() ?? "";
}
