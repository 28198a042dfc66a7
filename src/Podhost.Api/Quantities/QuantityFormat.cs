namespace Podhost.Api.Quantities;

/// <summary>The notation in which a quantity is printed.</summary>
public enum QuantityFormat
{
    /// <summary>Decimal suffixes: n, u, m, none, k, M, G, T, P, E.</summary>
    DecimalSI,

    /// <summary>Binary suffixes: Ki, Mi, Gi, Ti, Pi, Ei.</summary>
    BinarySI,

    /// <summary>Exponents: e3, e6.</summary>
    DecimalExponent,
}
