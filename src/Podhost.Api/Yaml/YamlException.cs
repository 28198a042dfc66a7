namespace Podhost.Api.Yaml;

/// <summary>YAML that cannot be read.</summary>
public sealed class YamlException : FormatException
{
    /// <summary>A fault at a line.</summary>
    public YamlException(string message, int line, Exception? inner = null)
        : base(line > 0 ? $"yaml: line {line}: {message}" : $"yaml: {message}", inner) => Line = line;

    /// <summary>Line of the fault, from 1; 0 where there is none.</summary>
    public int Line { get; }
}
