namespace Podhost.SchemaGen;

/// <summary>One object type as it is written to the catalog.</summary>
internal sealed record TypeModel(string Name, string Description, bool Atomic, IReadOnlyList<FieldModel> Fields);

/// <summary>One field. <paramref name="Type"/> is in the catalog's notation, for example <c>[]string</c> or <c>@io.k8s.api.core.v1.Container</c>.</summary>
internal sealed record FieldModel(string Name, string Type, bool Required, string Description, FieldFacts? Facts);
