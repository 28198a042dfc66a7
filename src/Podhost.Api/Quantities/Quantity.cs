namespace Podhost.Api.Quantities;

/// <summary>An exact amount of a resource, such as <c>100m</c> CPU or <c>1Gi</c> of memory.</summary>
public readonly struct Quantity
{
}
