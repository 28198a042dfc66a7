using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Podhost.Api.Yaml;

/// <summary>
/// The library's parser, with one kind of failure: some malformed streams bring it into a state that it answers with an exception of its
/// own making (InvalidOperationException, an index out of range) instead of a syntax error.
/// </summary>
internal sealed class GuardedParser(TextReader text) : IParser
{
    private readonly Parser parser = new(text);

    public ParsingEvent? Current => parser.Current;

    public bool MoveNext()
    {
        try
        {
            return parser.MoveNext();
        }
        catch (Exception e) when (e is not YamlDotNet.Core.YamlException and not OutOfMemoryException)
        {
            var at = parser.Current?.End ?? Mark.Empty;
            throw new YamlDotNet.Core.YamlException(at, at, "malformed YAML", e);
        }
    }
}
