using System.Xml;
using System.Xml.Linq;

namespace Podhost.SchemaGen;

/// <summary>The summaries of an XML documentation file, unwrapped: a blank line stays a paragraph, other line ends are spaces.</summary>
internal sealed class XmlDocs
{
    private readonly Dictionary<string, string> summaries = [];

    public XmlDocs(string file)
    {
        using var reader = XmlReader.Create(file);
        while (reader.ReadToFollowing("member"))
        {
            var name = reader.GetAttribute("name")!;
            if (name[..2] is "T:" or "P:")
            {
                using var member = reader.ReadSubtree();
                summaries[name] = Unwrap(XElement.Load(member).Element("summary")?.Value ?? "");
            }
        }
    }

    public string Of(string member) => summaries.GetValueOrDefault(member, "");

    private static string Unwrap(string text)
    {
        var paragraphs = text.ReplaceLineEndings("\n").Split('\n').Select(l => l.Trim())
            .Aggregate(new List<string> { "" }, (list, line) =>
            {
                if (line.Length == 0)
                {
                    list.Add("");
                }
                else
                {
                    list[^1] += (list[^1].Length > 0 ? " " : "") + line;
                }

                return list;
            });
        return string.Join("\n\n", paragraphs.Where(p => p.Length > 0));
    }
}
