using System.Text.Json.Nodes;
using Podhost.Cel.Functions;
using Podhost.Cel.Schemas;
using Podhost.Cel.Values;

namespace Podhost.Cel;

/// <summary>Makes values of variables.</summary>
public static class CelValues
{
    /// <summary>The value null.</summary>
    public static object Null => CelNull.Instance;

    /// <summary>A JSON value. With a schema, strings of formats become times, bytes and spans, and lists compare by their type.</summary>
    public static object FromJson(JsonNode? node, CelSchema? schema = null) => JsonValues.From(node, schema);

    /// <summary>The authorizer of a request.</summary>
    public static object Authorizer(ICelAuthorizer authorizer) => new AuthorizerValue(authorizer);

    /// <summary>A check of a resource that expressions complete with a verb.</summary>
    public static object ResourceCheck(ICelAuthorizer authorizer, CelAuthorizationQuery query) =>
        new ResourceCheckValue(new AuthorizerValue(authorizer), query);

    /// <summary>A value that may be missing.</summary>
    public static object Optional(object? value) => value is null ? CelOptional.None : new CelOptional(value);

    /// <summary>An object whose fields are evaluated when they are first read; an outcome with an error makes the field an error.</summary>
    public static object Lazy(IReadOnlyDictionary<string, Func<CelOutcome>> fields) => new LazyMap(fields);

    private sealed class LazyMap(IReadOnlyDictionary<string, Func<CelOutcome>> fields) : CelMap
    {
        private readonly Dictionary<string, object> _known = new(StringComparer.Ordinal);

        public override int Count => fields.Count;

        public override IEnumerable<object> Keys => fields.Keys;

        public override object? Find(object key)
        {
            if (key is not string name || !fields.TryGetValue(name, out var evaluate))
            {
                return null;
            }

            if (!_known.TryGetValue(name, out var value))
            {
                var outcome = evaluate();
                value = outcome.Error is { } error ? new CelError($"composited variable \"{name}\" fails to evaluate: {error}") : outcome.Value!;
                _known[name] = value;
            }

            return value;
        }
    }
}
