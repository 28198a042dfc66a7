using Podhost.Cel.Types;

namespace Podhost.Cel.Checking;

/// <summary>All functions by name. Signatures are written as text: <c>string.(string) bool</c>, <c>(list(A), A) bool</c>.</summary>
internal sealed class FunctionTable
{
    private readonly Dictionary<string, List<Overload>> _functions = new(StringComparer.Ordinal);

    /// <summary>The overloads of a function, in the order of their declaration; null where there is no such function.</summary>
    public IReadOnlyList<Overload>? Find(string name) => _functions.GetValueOrDefault(name);

    /// <summary>Declares an overload.</summary>
    public void Add(string name, string id, string signature, Implementation? implementation = null)
    {
        var (isMember, args, result) = new SignatureReader(signature).Read();
        if (!_functions.TryGetValue(name, out var overloads))
        {
            _functions.Add(name, overloads = []);
        }

        overloads.Add(new Overload(id, isMember, args, result, implementation));
    }

    /// <summary>Reads <c>[receiver.](args) result</c>.</summary>
    private sealed class SignatureReader(string text)
    {
        private int _at;

        public (bool IsMember, List<CelType> Args, CelType Result) Read()
        {
            var args = new List<CelType>();
            var isMember = text[0] != '(';
            if (isMember)
            {
                args.Add(Type());
                Expect(".(");
            }
            else
            {
                Expect("(");
            }

            while (text[_at] != ')')
            {
                args.Add(Type());
                Accept(", ");
            }

            Expect(") ");
            return (isMember, args, Type());
        }

        private CelType Type()
        {
            var start = _at;
            while (_at < text.Length && char.IsAsciiLetterOrDigit(text[_at]))
            {
                _at++;
            }

            var name = text[start.._at];
            if (name is not ("list" or "map" or "optional" or "type") || _at >= text.Length || text[_at] != '(')
            {
                return Named(name);
            }

            Expect("(");
            var first = Type();
            var type = name switch
            {
                "list" => CelType.List(first),
                "optional" => CelType.Optional(first),
                "type" => CelType.TypeOf(first),
                _ => Second(first),
            };
            Expect(")");
            return type;
        }

        private CelType Second(CelType key)
        {
            Expect(", ");
            return CelType.Map(key, Type());
        }

        private static CelType Named(string name) => name switch
        {
            "bool" => CelType.Bool,
            "int" => CelType.Int,
            "uint" => CelType.Uint,
            "double" => CelType.Double,
            "string" => CelType.String,
            "bytes" => CelType.Bytes,
            "null" => CelType.Null,
            "dyn" => CelType.Dyn,
            "timestamp" => CelType.Timestamp,
            "duration" => CelType.Duration,
            "type" => CelType.Type,
            "Quantity" => LibraryTypes.Quantity,
            "URL" => LibraryTypes.Url,
            "IP" => LibraryTypes.Ip,
            "CIDR" => LibraryTypes.Cidr,
            "Semver" => LibraryTypes.Semver,
            "Format" => LibraryTypes.Format,
            "Authorizer" => LibraryTypes.Authorizer,
            "PathCheck" => LibraryTypes.PathCheck,
            "GroupCheck" => LibraryTypes.GroupCheck,
            "ResourceCheck" => LibraryTypes.ResourceCheck,
            "Decision" => LibraryTypes.Decision,
            { Length: 1 } => CelType.Param(name),
            _ => throw new ArgumentException($"unknown type {name}"),
        };

        private void Accept(string part)
        {
            if (string.CompareOrdinal(text, _at, part, 0, part.Length) == 0)
            {
                _at += part.Length;
            }
        }

        private void Expect(string part)
        {
            if (string.CompareOrdinal(text, _at, part, 0, part.Length) != 0)
            {
                throw new ArgumentException($"{text}: expected {part} at {_at}");
            }

            _at += part.Length;
        }
    }
}
