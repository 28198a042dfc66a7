using System.Globalization;
using Podhost.Api.Errors;

namespace Podhost.ApiServer.Routes;

/// <summary>How the client wants objects presented.</summary>
internal enum Presentation
{
    Object,
    Table,
    PartialMetadata,
}

/// <summary>What the Accept header came to.</summary>
/// <param name="Yaml">YAML instead of JSON.</param>
/// <param name="As">Presentation of objects.</param>
/// <param name="MetaVersion">Version of meta.k8s.io for Table and PartialObjectMetadata.</param>
internal readonly record struct AcceptedType(bool Yaml, Presentation As, string MetaVersion)
{
    public string ContentType => Yaml ? "application/yaml" : "application/json";
}

/// <summary>One clause of an Accept header.</summary>
internal sealed record MediaRange(string Type, IReadOnlyDictionary<string, string> Parameters, double Quality)
{
    public string Parameter(string name) => Parameters.GetValueOrDefault(name, "");
}

/// <summary>Negotiation of answers: JSON and YAML are served; protobuf is read in request bodies only.</summary>
internal static class MediaTypes
{
    private const string Supported = "application/json, application/yaml";
    private const int MaxClauses = 64;

    /// <summary>The first acceptable clause, best quality first.</summary>
    /// <exception cref="ApiException">406: none of them is served.</exception>
    /// <param name="accept">The header.</param>
    /// <param name="objectsOnly">True where there is no table and no metadata to show: answers to reviews.</param>
    public static AcceptedType Negotiate(string accept, bool objectsOnly = false)
    {
        if (accept.Length == 0)
        {
            return default;
        }

        foreach (var clause in Parse(accept))
        {
            if (Accept(clause) is { } type && (!objectsOnly || type.As == Presentation.Object))
            {
                return type;
            }
        }

        throw ApiException.NotAcceptable("only the following media types are accepted: " + Supported);
    }

    /// <summary>The clauses of an Accept header, best quality first.</summary>
    public static IEnumerable<MediaRange> Parse(string accept) => accept
        .Split(',', MaxClauses, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        .Select(ParseClause)
        .OrderByDescending(c => c.Quality);

    private static MediaRange ParseClause(string clause)
    {
        var parts = clause.Split(';', StringSplitOptions.TrimEntries);
        var parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in parts.Skip(1))
        {
            var at = part.IndexOf('=', StringComparison.Ordinal);
            if (at > 0)
            {
                parameters[part[..at]] = part[(at + 1)..].Trim('"');
            }
        }

        var quality = parameters.TryGetValue("q", out var q) && double.TryParse(q, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? value
            : 1;
        return new MediaRange(parts[0].ToLowerInvariant(), parameters, quality);
    }

    private static AcceptedType? Accept(MediaRange clause)
    {
        bool? yaml = clause.Type switch
        {
            "application/json" or "*/*" or "application/*" => false,
            "application/yaml" => true,
            _ => null,
        };
        if (yaml is null)
        {
            return null;
        }

        var version = clause.Parameter("v");
        var known = clause.Parameter("g") == "meta.k8s.io" && version is "v1" or "v1beta1";
        return clause.Parameter("as") switch
        {
            "" => new AcceptedType(yaml.Value, Presentation.Object, ""),
            "Table" when known => new AcceptedType(yaml.Value, Presentation.Table, version),
            "PartialObjectMetadata" or "PartialObjectMetadataList" when known => new AcceptedType(yaml.Value, Presentation.PartialMetadata, version),
            _ => null,
        };
    }
}
