namespace Podhost.Api.OpenApi;

/// <summary>One operation of a path.</summary>
/// <param name="Method">get, put, post, delete or patch.</param>
/// <param name="Id">operationId.</param>
/// <param name="Action">x-kubernetes-action.</param>
/// <param name="Description">What it does.</param>
/// <param name="Kind">x-kubernetes-group-version-kind, or null.</param>
/// <param name="Parameters">Query parameters.</param>
/// <param name="Body">Type of the body, or null.</param>
/// <param name="Result">Type of the answer, or null where it is text or a stream.</param>
internal sealed record ApiOperation(
    string Method,
    string Id,
    string Action,
    string Description,
    KindName? Kind,
    IReadOnlyList<ApiParameter> Parameters,
    string? Body,
    string? Result);

/// <summary>One path with its operations.</summary>
internal sealed record ApiPath(string Path, IReadOnlyList<ApiOperation> Operations)
{
    public IEnumerable<string> PathParameters => Path.Split('/').Where(p => p.StartsWith('{')).Select(p => p.Trim('{', '}'));
}
