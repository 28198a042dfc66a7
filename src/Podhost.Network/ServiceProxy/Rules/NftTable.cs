using Podhost.Linux.Nftables;

namespace Podhost.Network.ServiceProxy.Rules;

/// <summary>A table, as scripts name it.</summary>
/// <param name="Family">Its family.</param>
/// <param name="Name">Its name.</param>
internal sealed record NftTable(NftFamily Family, string Name)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Family.Name} {Name}";
}
