using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Podhost.Kubelet.Tests.Pods;

/// <summary>The golden cases of the decision: <c>tests/cases/kubelet/&lt;case&gt;/{view,decision}.json</c>. PODHOST_REWRITE=1 writes the decisions anew.</summary>
public sealed class DecisionCaseTests
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static TheoryData<string> Cases => new(Directory.EnumerateDirectories(Root()).Select(d => Path.GetFileName(d)!).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Decides_as_recorded(string name)
    {
        var directory = Path.Combine(Root(), name);
        var script = (JsonObject)JsonNode.Parse(File.ReadAllText(Path.Combine(directory, "view.json")))!;
        var actual = new CaseScript(script).Play().ToJsonString(Indented) + "\n";
        var file = Path.Combine(directory, "decision.json");
        if (Environment.GetEnvironmentVariable("PODHOST_REWRITE") == "1")
        {
            File.WriteAllText(file, actual);
        }

        Assert.Equal(File.ReadAllText(file), actual);
    }

    private static string Root()
    {
        for (var directory = AppContext.BaseDirectory; directory is not null; directory = Path.GetDirectoryName(directory))
        {
            var cases = Path.Combine(directory, "tests", "cases", "kubelet");
            if (Directory.Exists(cases))
            {
                return cases;
            }
        }

        throw new DirectoryNotFoundException("tests/cases/kubelet");
    }
}
