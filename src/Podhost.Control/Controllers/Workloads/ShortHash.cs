using System.Globalization;
using System.Text.Json.Nodes;
using Podhost.Api.Objects;

namespace Podhost.Control.Controllers.Workloads;

/// <summary>Short hashes of templates, as part of names and labels.</summary>
internal static class ShortHash
{
    // Without vowels and what looks like them: no words come out.
    private const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";

    /// <summary>A hash of a JSON object that may be part of a name and a label's value. FNV-1a.</summary>
    /// <param name="value">The object.</param>
    /// <param name="collisions">How often the hash of it met one of another.</param>
    public static string Of(JsonObject value, int collisions)
    {
        var hash = 2166136261u;
        foreach (var b in (byte[])[.. ObjectCodec.ToUtf8((JsonNode)value), .. collisions == 0 ? [] : BitConverter.GetBytes(collisions)])
        {
            hash = (hash ^ b) * 16777619u;
        }

        return string.Concat(hash.ToString(CultureInfo.InvariantCulture).Select(c => Alphabet[c % Alphabet.Length]));
    }
}
