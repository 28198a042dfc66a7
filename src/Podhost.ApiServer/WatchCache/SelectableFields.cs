using System.Globalization;
using System.Text.Json;

namespace Podhost.ApiServer.WatchCache;

/// <summary>The labels of an object and those of its scalar fields that field selectors may name, in one pass over the bytes.</summary>
internal sealed class SelectableFields
{
    // Every field that any resource's selectors name, at most two levels deep; the registry decides which resource may use which.
    private static readonly HashSet<string> Sections = new(StringComparer.Ordinal) { "metadata", "spec", "status", "involvedObject", "source" };

    private static readonly HashSet<string> Wanted = new(StringComparer.Ordinal)
    {
        "metadata.name", "metadata.namespace", "metadata.uid",
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork", "spec.unschedulable",
        "spec.clusterIP", "spec.type", "spec.signerName",
        "status.phase", "status.podIP", "status.nominatedNodeName", "status.replicas", "status.succeeded",
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion",
        "involvedObject.resourceVersion", "involvedObject.fieldPath",
        "reason", "type", "source.component", "reportingComponent",
    };

    private readonly Dictionary<string, string> _fields = new(8, StringComparer.Ordinal);

    private SelectableFields()
    {
    }

    /// <summary>metadata.labels; empty where there are none.</summary>
    public Dictionary<string, string> Labels { get; } = new(StringComparer.Ordinal);

    /// <summary>The value of a field as a string (booleans as true or false, whole numbers in decimal), or null where it is not set.</summary>
    public string? Get(string field) => _fields.GetValueOrDefault(field);

    public static SelectableFields Parse(ReadOnlySpan<byte> utf8)
    {
        var result = new SelectableFields();
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = 256 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            if (reader.TokenType == JsonTokenType.StartObject && Sections.Contains(name))
            {
                result.ReadSection(ref reader, name);
            }
            else
            {
                result.ReadField(ref reader, name);
            }
        }

        return result;
    }

    private void ReadSection(ref Utf8JsonReader reader, string section)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (section == "metadata" && reader.ValueTextEquals("labels"u8))
            {
                reader.Read();
                ReadLabels(ref reader);
                continue;
            }

            var path = section + "." + reader.GetString();
            reader.Read();
            ReadField(ref reader, path);
        }
    }

    private void ReadLabels(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            Labels[key] = reader.TokenType == JsonTokenType.String ? reader.GetString()! : "";
        }
    }

    private void ReadField(ref Utf8JsonReader reader, string path)
    {
        if (Wanted.Contains(path))
        {
            var value = reader.TokenType switch
            {
                JsonTokenType.String => reader.GetString(),
                JsonTokenType.True => "true",
                JsonTokenType.False => "false",
                JsonTokenType.Number when reader.TryGetInt64(out var number) => number.ToString(CultureInfo.InvariantCulture),
                _ => null,
            };
            if (value is not null)
            {
                _fields[path] = value;
            }
        }

        reader.Skip();
    }
}
