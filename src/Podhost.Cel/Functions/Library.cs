using Podhost.Cel.Checking;

namespace Podhost.Cel.Functions;

/// <summary>All functions of the API server's environment.</summary>
internal static class Library
{
    private static readonly Lazy<FunctionTable> Table = new(Make);

    public static FunctionTable Functions => Table.Value;

    private static FunctionTable Make()
    {
        var table = new FunctionTable();
        Standard.AddTo(table);
        Strings.AddTo(table);
        Lists.AddTo(table);
        Patterns.AddTo(table);
        Urls.AddTo(table);
        Quantities.AddTo(table);
        Networks.AddTo(table);
        Formats.AddTo(table);
        Semvers.AddTo(table);
        Optionals.AddTo(table);
        Authorization.AddTo(table);
        table.Add("jsonpatch.escapeKey", "string_jsonpatch_escapeKey_string", "(string) string",
            a => ((string)a[0]).Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal));
        return table;
    }
}
