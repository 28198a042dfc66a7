namespace Podhost.Api.Schema;

/// <summary>The object types of the v1 API.</summary>
public static class SchemaCatalog
{
    /// <summary>The type of a name such as <c>io.k8s.api.core.v1.Pod</c>, or null.</summary>
    public static SchemaType? Find(string schemaName) => throw new NotImplementedException(schemaName);
}
