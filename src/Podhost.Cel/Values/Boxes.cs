namespace Podhost.Cel.Values;

/// <summary>Values that are boxed once.</summary>
internal static class Boxes
{
    public static readonly object True = true;

    public static readonly object False = false;

    public static object Of(bool value) => value ? True : False;
}

/// <summary>The value null.</summary>
public sealed class CelNull
{
    private CelNull()
    {
    }

    /// <summary>The only one.</summary>
    public static CelNull Instance { get; } = new();
}

/// <summary>A fault of an evaluation. It is a value: <c>&amp;&amp;</c> and <c>||</c> may absorb it.</summary>
public sealed class CelError(string message)
{
    /// <summary>What went wrong, in cel-go's words.</summary>
    public string Message { get; } = message;

    internal static CelError NoSuchKey(object key) => new($"no such key: {Values.Display(key)}");

    internal static CelError NoSuchOverload() => new("no such overload");
}

/// <summary>Bytes.</summary>
internal sealed class CelBytes(byte[] value) : IEquatable<CelBytes>
{
    public byte[] Value { get; } = value;

    public bool Equals(CelBytes? other) => other is not null && Value.AsSpan().SequenceEqual(other.Value);

    public override bool Equals(object? obj) => Equals(obj as CelBytes);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(Value);
        return hash.ToHashCode();
    }
}

/// <summary>A value that may be missing.</summary>
internal sealed class CelOptional(object? value)
{
    public static readonly CelOptional None = new(null);

    public object? Value { get; } = value;

    public bool HasValue => Value is not null;
}
