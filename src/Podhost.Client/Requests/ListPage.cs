using System.Text.Json;
using k8s;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Api.Resources;

namespace Podhost.Client.Requests;

/// <summary>One page of a list. Items are cut out of the bytes one by one: there is no list type to be known, and no second copy.</summary>
internal sealed record ListPage<T>(IReadOnlyList<T> Items, string ResourceVersion, string? Continue) where T : class, IKubernetesObject<V1ObjectMeta>
{
    /// <exception cref="JsonException">The bytes are no list.</exception>
    internal static ListPage<T> Parse(ReadOnlySpan<byte> utf8, ResourceInfo resource)
    {
        var items = new List<T>();
        V1ListMeta? meta = null;
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = 128 });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("the answer is no list");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("items"u8))
            {
                reader.Read();
                ReadItems(ref reader, utf8, resource, items);
            }
            else if (reader.ValueTextEquals("metadata"u8))
            {
                meta = ObjectCodec.ToModel<V1ListMeta>(JsonSlice.Value(ref reader, utf8));
            }
            else
            {
                reader.Skip();
            }
        }

        return new ListPage<T>(items, meta?.ResourceVersion ?? "", string.IsNullOrEmpty(meta?.ContinueProperty) ? null : meta.ContinueProperty);
    }

    private static void ReadItems(ref Utf8JsonReader reader, ReadOnlySpan<byte> utf8, ResourceInfo resource, List<T> items)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return;
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            items.Add(ObjectReader.Read<T>(JsonSlice.Current(ref reader, utf8), resource));
        }
    }
}
