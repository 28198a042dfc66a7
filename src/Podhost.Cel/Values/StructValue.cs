using Podhost.Cel.Types;

namespace Podhost.Cel.Values;

/// <summary>An object made by a literal of a declared type: only the fields that were set.</summary>
internal sealed class StructValue(CelType type, Dictionary<string, object> fields) : CelMap
{
    public CelType Type { get; } = type;

    public override int Count => fields.Count;

    public override IEnumerable<object> Keys => fields.Keys;

    public override object? Find(object key) => key is string name ? fields.GetValueOrDefault(name) : null;

    public override object EqualTo(CelMap other) =>
        other is StructValue s && s.Type.Name != Type.Name ? Boxes.False : base.EqualTo(other);
}
