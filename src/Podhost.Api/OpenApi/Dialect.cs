namespace Podhost.Api.OpenApi;

/// <summary>The version of OpenAPI that is written.</summary>
internal enum Dialect
{
    /// <summary>Swagger 2.0, for old kubectl.</summary>
    V2,

    /// <summary>OpenAPI 3.0.</summary>
    V3,
}
