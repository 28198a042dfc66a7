using System.Text.Json;

namespace Podhost.Linux.Nftables;

/// <summary>What a table has, by name.</summary>
/// <param name="Chains">Its chains.</param>
/// <param name="Sets">Its sets and maps.</param>
public sealed record NftTableNames(IReadOnlyList<string> Chains, IReadOnlyList<string> Sets)
{
    /// <summary>Reads nft's JSON (libnftables-json(5)): one document for each list command.</summary>
    /// <param name="output">What nft printed.</param>
    /// <param name="family">The family.</param>
    /// <param name="table">The table.</param>
    /// <returns>Null where there is no such table.</returns>
    /// <exception cref="FormatException">The output is not whole.</exception>
    internal static NftTableNames? Parse(string output, NftFamily family, string table)
    {
        var (chains, sets, found) = (new List<string>(), new List<string>(), false);
        foreach (var line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            try
            {
                using var document = JsonDocument.Parse(line);
                foreach (var entry in document.RootElement.GetProperty("nftables").EnumerateArray().SelectMany(item => item.EnumerateObject()))
                {
                    found |= entry.Name == "table" && IsNamed(entry.Value, "name", table, family);
                    if (IsNamed(entry.Value, "table", table, family))
                    {
                        (entry.Name == "chain" ? chains : sets).Add(entry.Value.GetProperty("name").GetString()!);
                    }
                }
            }
            catch (Exception failure) when (failure is JsonException or KeyNotFoundException)
            {
                throw new FormatException($"nft printed no whole JSON: {failure.Message}", failure);
            }
        }

        return found ? new NftTableNames(chains, sets) : null;
    }

    private static bool IsNamed(JsonElement item, string property, string value, NftFamily of) =>
        item.TryGetProperty(property, out var text) && text.ValueEquals(value) && item.TryGetProperty("family", out var family) && family.ValueEquals(of.Name);
}
