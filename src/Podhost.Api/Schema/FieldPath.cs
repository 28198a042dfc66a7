using System.Globalization;

namespace Podhost.Api.Schema;

/// <summary>Where the decoder stands.</summary>
internal sealed class FieldPath
{
    private readonly List<string> segments = [];

    /// <summary>Go's name of the struct whose field is being read.</summary>
    public string Struct { get; set; } = "";

    public void Push(string name) => segments.Add(segments.Count == 0 ? name : "." + name);

    public void PushIndex(int index) => segments.Add("[" + index.ToString(CultureInfo.InvariantCulture) + "]");

    public void Pop() => segments.RemoveAt(segments.Count - 1);

    /// <summary>The path with indices, as strict decoding reports it.</summary>
    public override string ToString() => string.Concat(segments);

    /// <summary>A decode error, which in Go names struct and path without indices.</summary>
    public DecodeException CannotUnmarshal(string what, SchemaValue value) => new(
        $"json: cannot unmarshal {what} into Go struct field {Struct}.{string.Concat(segments.Where(s => s[0] != '['))} of type {JsonTypes.GoType(value)}",
        ToString());
}
