using Podhost.Cel.Types;

namespace Podhost.Cel.Checking;

/// <summary>Names that an expression may use, and their types.</summary>
internal sealed class Declarations(IReadOnlyDictionary<string, CelType> variables, Func<string, CelType?> structs, FunctionTable functions)
{
    public FunctionTable Functions => functions;

    /// <summary>The type of a variable, or the type of a type's name; null where there is none.</summary>
    public CelType? Find(string name)
    {
        var plain = Plain(name);
        return variables.GetValueOrDefault(plain) ?? (TypeNamed(plain) is { } type ? CelType.TypeOf(type) : null);
    }

    /// <summary>The type that a name is, where it is one that no variable hides.</summary>
    public CelType? TypeNamed(string name) => variables.ContainsKey(Plain(name))
        ? null
        : TypeNames.Find(Plain(name)) ?? structs(Plain(name));

    /// <summary>A type that literals may make, or null.</summary>
    public CelType? Struct(string name) => structs(Plain(name));

    private static string Plain(string name) => name.StartsWith('.') ? name[1..] : name;
}
