using Podhost.Cel.Types;

namespace Podhost.Cel.Values;

/// <summary>A value of a library's own type.</summary>
internal interface ILibraryValue
{
    CelType Type { get; }
}
