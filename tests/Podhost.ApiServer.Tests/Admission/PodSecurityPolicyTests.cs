using System.Text.Json.Nodes;
using Podhost.Api.Yaml;
using Podhost.ApiServer.Admission.PodSecurity;
using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests.Admission;

/// <summary>Each check of the Pod Security Standards, at every version.</summary>
public class PodSecurityPolicyTests
{
    private const string Topic = "podsecurity";

    public static TheoryData<string> All => Cases.Of(Topic);

    [Theory]
    [MemberData(nameof(All))]
    public void A_pod_is_judged_as_upstream_judges_it(string name)
    {
        var pod = YamlReader.ReadAll(File.ReadAllText(Path.Combine(Cases.Folder(Topic), name, "pod.yaml"))).Single()!.AsObject();
        Cases.Check(Topic, name, "verdicts.txt", [.. Verdicts(PolicyLevel.Baseline, pod), .. Verdicts(PolicyLevel.Restricted, pod)]);
    }

    [Fact]
    public void Every_check_has_a_case_that_it_refuses()
    {
        foreach (var check in PolicyEvaluator.All)
        {
            var text = File.ReadAllText(Path.Combine(Cases.Folder(Topic), check.Id, "verdicts.txt"));
            Assert.True(text.Split('\n').Any(line => line.Contains(": ", StringComparison.Ordinal) && !line.EndsWith(": allowed", StringComparison.Ordinal)), check.Id);
        }
    }

    [Fact]
    public void The_privileged_level_allows_everything() =>
        Assert.Empty(PolicyEvaluator.Evaluate(LevelVersion.Privileged, null, new JsonObject { ["hostPID"] = true }));

    [Fact]
    public void A_restricted_pod_violates_no_baseline_check_twice()
    {
        var pod = JsonNode.Parse("""{"volumes":[{"name":"v","hostPath":{"path":"/"}}],"containers":[{"name":"c","securityContext":{"capabilities":{"add":["NET_RAW"]}}}]}""")!.AsObject();
        var reasons = PolicyEvaluator.Reasons(PolicyEvaluator.Evaluate(new(PolicyLevel.Restricted, PolicyVersion.Latest), null, pod));
        Assert.Equal("allowPrivilegeEscalation != false, unrestricted capabilities, restricted volume types, runAsNonRoot != true, seccompProfile", reasons);
    }

    [Theory]
    [InlineData("latest", true)]
    [InlineData("v1.0", true)]
    [InlineData("v1.36", true)]
    [InlineData("v1.999", true)]
    [InlineData("v1.01", false)]
    [InlineData("v2.0", false)]
    [InlineData("1.30", false)]
    [InlineData("v1.", false)]
    [InlineData("", false)]
    public void Versions_are_read_as_upstream_reads_them(string text, bool valid)
    {
        Assert.Equal(valid, PolicyVersion.TryParse(text, out var version));
        if (valid)
        {
            Assert.Equal(text, version.ToString());
        }
    }

    // One line for each run of versions that judge alike.
    private static IEnumerable<string> Verdicts(PolicyLevel level, JsonObject pod)
    {
        PolicyVersion[] versions = [.. Enumerable.Range(0, 37).Select(minor => new PolicyVersion(minor)), PolicyVersion.Latest];
        string Judge(PolicyVersion version)
        {
            var violations = PolicyEvaluator.Evaluate(new LevelVersion(level, version), pod["metadata"] as JsonObject, pod["spec"]!.AsObject());
            return violations.Count == 0 ? "allowed" : PolicyEvaluator.Details(violations);
        }

        for (var first = 0; first < versions.Length;)
        {
            var last = first;
            while (last + 1 < versions.Length && Judge(versions[last + 1]) == Judge(versions[first]))
            {
                last++;
            }

            yield return $"{level.ToString().ToLowerInvariant()} {versions[first]} to {versions[last]}: {Judge(versions[first])}";
            first = last + 1;
        }
    }
}
