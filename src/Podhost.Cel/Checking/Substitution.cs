using Podhost.Cel.Types;

namespace Podhost.Cel.Checking;

/// <summary>What the type variables of a check stand for, and whether a type fits where another is wanted.</summary>
internal sealed class Substitution
{
    private Dictionary<string, CelType> _bound = new(StringComparer.Ordinal);
    private int _fresh;

    /// <summary>A new type variable.</summary>
    public CelType Fresh() => CelType.Param($"_var{_fresh++}");

    /// <summary>True where the types fit; bindings of variables are kept only then.</summary>
    public bool Fits(IReadOnlyList<CelType> types, IReadOnlyList<CelType> wanted)
    {
        var before = _bound;
        _bound = new Dictionary<string, CelType>(before, StringComparer.Ordinal);
        if (types.Count == wanted.Count && AllFit(types, wanted))
        {
            return true;
        }

        _bound = before;
        return false;
    }

    /// <summary>True where the type fits.</summary>
    public bool Fits(CelType type, CelType wanted) => Fits([type], [wanted]);

    /// <summary>The more general of two types that fit each other.</summary>
    public static CelType MoreGeneral(CelType a, CelType b) => IsLessSpecific(a, b) ? a : b;

    /// <summary>The type with its variables replaced; unbound ones become dyn where asked for.</summary>
    public CelType Apply(CelType type, bool unboundToDyn)
    {
        if (type.Kind == CelKind.Param)
        {
            return _bound.TryGetValue(type.Name, out var bound) ? Apply(bound, unboundToDyn) : unboundToDyn ? CelType.Dyn : type;
        }

        return type.Parameters.Count == 0 ? type : type.With([.. type.Parameters.Select(p => Apply(p, unboundToDyn))]);
    }

    /// <summary>A signature's types with its variables replaced by new ones.</summary>
    public (List<CelType> Args, CelType Result) Instantiate(Overload overload)
    {
        var names = new Dictionary<string, CelType>(StringComparer.Ordinal);
        return ([.. overload.Args.Select(a => Rename(a, names))], Rename(overload.Result, names));
    }

    private CelType Rename(CelType type, Dictionary<string, CelType> names)
    {
        if (type.Kind == CelKind.Param)
        {
            if (!names.TryGetValue(type.Name, out var fresh))
            {
                names.Add(type.Name, fresh = Fresh());
            }

            return fresh;
        }

        return type.Parameters.Count == 0 ? type : type.With([.. type.Parameters.Select(p => Rename(p, names))]);
    }

    private bool AllFit(IReadOnlyList<CelType> types, IReadOnlyList<CelType> wanted)
    {
        for (var i = 0; i < types.Count; i++)
        {
            if (!FitsOne(types[i], wanted[i]))
            {
                return false;
            }
        }

        return true;
    }

    private bool FitsOne(CelType type, CelType wanted)
    {
        if (wanted.Kind == CelKind.Param)
        {
            var (isValid, isBound) = Bind(type, wanted);
            if (isValid || isBound)
            {
                return isValid;
            }
        }

        if (type.Kind == CelKind.Param)
        {
            return Bind(wanted, type).IsValid;
        }

        if (type.IsDynOrError || wanted.IsDynOrError)
        {
            return true;
        }

        if (type.Kind == CelKind.Null)
        {
            return wanted.Kind is CelKind.Null or CelKind.Object or CelKind.Opaque or CelKind.Timestamp or CelKind.Duration;
        }

        return type.Kind == wanted.Kind && type.Kind switch
        {
            CelKind.List or CelKind.Map => AllFit(type.Parameters, wanted.Parameters),
            CelKind.Opaque => type.Name == wanted.Name && type.Parameters.Count == wanted.Parameters.Count && AllFit(type.Parameters, wanted.Parameters),
            CelKind.Object => type.Name == wanted.Name,
            _ => true,
        };
    }

    private (bool IsValid, bool IsBound) Bind(CelType type, CelType variable)
    {
        if (_bound.TryGetValue(variable.Name, out var bound))
        {
            if (type.Equals(bound))
            {
                return (true, true);
            }

            if (!FitsOne(type, bound))
            {
                return (false, true);
            }

            _bound[variable.Name] = MoreGeneral(type, bound);
            return (true, true);
        }

        if (OccursIn(variable, type))
        {
            return (type.Equals(variable), false);
        }

        _bound[variable.Name] = type;
        return (true, false);
    }

    private bool OccursIn(CelType variable, CelType type)
    {
        if (type.Kind == CelKind.Param)
        {
            return type.Name == variable.Name || (_bound.TryGetValue(type.Name, out var bound) && OccursIn(variable, bound));
        }

        return type.Parameters.Any(p => OccursIn(variable, p));
    }

    private static bool IsLessSpecific(CelType a, CelType b)
    {
        if (a.Kind is CelKind.Dyn or CelKind.Param)
        {
            return true;
        }

        if (b.Kind is CelKind.Dyn or CelKind.Param || a.Kind != b.Kind)
        {
            return false;
        }

        return a.Name == b.Name && a.Parameters.Count == b.Parameters.Count && a.Parameters.Zip(b.Parameters).All(p => IsLessSpecific(p.First, p.Second));
    }
}
