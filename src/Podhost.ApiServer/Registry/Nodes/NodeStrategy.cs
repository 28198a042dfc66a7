using System.Text.Json.Nodes;
using Podhost.Api.Resources;

namespace Podhost.ApiServer.Registry.Nodes;

/// <summary>Nodes register together with their status.</summary>
internal sealed class NodeStrategy(ResourceInfo resource) : ResourceStrategy(resource)
{
    public override void PrepareForCreate(JsonObject obj)
    {
    }
}
