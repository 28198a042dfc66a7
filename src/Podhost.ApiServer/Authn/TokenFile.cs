using System.Security.Cryptography;
using System.Text;

namespace Podhost.ApiServer.Authn;

/// <summary>
/// Fixed bearer tokens of a file, read once: lines of CSV <c>token,user,uid,"group1,group2"</c>, the groups may be left out. An empty token is passed
/// over, of a token that comes twice the last line counts. Source: upstream's --token-auth-file.
/// </summary>
public sealed class TokenFile : ITokenReviewer
{
    // By a hash, so that how long a look-up takes tells nothing about a token.
    private readonly Dictionary<string, UserInfo> _users = new(StringComparer.Ordinal);
    private readonly IReadOnlyList<string> _audiences;

    /// <summary>The tokens of a text.</summary>
    /// <param name="csv">The file's text.</param>
    /// <param name="audiences">Names of the API server.</param>
    /// <exception cref="FormatException">A line is no CSV or has fewer than three columns; the message names it.</exception>
    public TokenFile(string csv, IReadOnlyList<string> audiences)
    {
        _audiences = audiences;
        foreach (var record in CsvReader.Read(csv))
        {
            if (record.Count < 3)
            {
                throw new FormatException($"must have at least 3 columns (token, user name, user uid), found {record.Count}");
            }

            if (record[0].Length > 0)
            {
                var groups = record.Count > 3 ? record[3].Split(',', StringSplitOptions.RemoveEmptyEntries) : [];
                _users[Key(record[0])] = new UserInfo(record[1], [.. groups.Append(UserInfo.Authenticated).Distinct()]) { Uid = record[2] };
            }
        }
    }

    /// <inheritdoc />
    public TokenReview? Review(string token, IReadOnlyList<string> audiences) =>
        _users.TryGetValue(Key(token), out var user) ? TokenReview.ForServer(user, audiences, _audiences) : null;

    private static string Key(string token) => Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)));
}
