using System.Xml.Linq;

namespace Podhost.Architecture.Tests;

/// <summary>Dependencies between rooms point down only: the table of docs/architecture.md.</summary>
public sealed class DependencyTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Podhost.Api"] = [],
        ["Podhost.Linux"] = [],
        ["Podhost.Cri"] = [],
        ["Podhost.Streaming"] = [],
        ["Podhost.Storage"] = ["Podhost.Api"],
        ["Podhost.Cel"] = ["Podhost.Api"],
        ["Podhost.Client"] = ["Podhost.Api"],
        ["Podhost.ApiServer"] = ["Podhost.Api", "Podhost.Cel", "Podhost.Storage", "Podhost.Streaming"],
        ["Podhost.Control"] = ["Podhost.Client"],
        ["Podhost.Network"] = ["Podhost.Client", "Podhost.Linux"],
        ["Podhost.Kubelet"] = ["Podhost.Client", "Podhost.Cri", "Podhost.Streaming", "Podhost.Linux"],
        ["Podhost.Runtime"] = ["Podhost.Cri", "Podhost.Linux", "Podhost.Streaming"],
        ["Podhost"] = ["Podhost.ApiServer", "Podhost.Control", "Podhost.Kubelet", "Podhost.Network", "Podhost.Runtime"],
    };

    public static TheoryData<string> Rooms => [.. Projects().Select(p => Path.GetFileNameWithoutExtension(p))];

    [Theory]
    [MemberData(nameof(Rooms))]
    public void A_room_refers_only_to_rooms_below_it(string room)
    {
        Assert.True(Allowed.ContainsKey(room), $"{room} is not in the table of dependencies");
        var unexpected = References(room).Except(Allowed[room]).ToList();
        Assert.True(unexpected.Count == 0, $"{room} must not refer to {string.Join(", ", unexpected)}");
    }

    [Theory]
    [MemberData(nameof(Rooms))]
    public void An_assembly_uses_only_what_its_room_may_reach(string room)
    {
        var assembly = System.Reflection.Assembly.Load(room == "Podhost" ? "podhost" : room);
        var used = assembly.GetReferencedAssemblies().Select(a => a.Name!).Where(n => n.StartsWith("Podhost.", StringComparison.Ordinal));
        Assert.Empty(used.Except(Reachable(room)));
    }

    [Fact]
    public void The_table_has_no_cycle_and_no_stranger()
    {
        foreach (var room in Allowed.Keys)
        {
            Assert.DoesNotContain(room, Reachable(room));
        }

        Assert.Equal(Allowed.Keys.Order(), Projects().Select(Path.GetFileNameWithoutExtension).Order());
    }

    private static HashSet<string> Reachable(string room)
    {
        var reached = new HashSet<string>();
        var open = new Queue<string>(Allowed[room]);
        while (open.TryDequeue(out var next))
        {
            if (reached.Add(next))
            {
                foreach (var below in Allowed[next])
                {
                    open.Enqueue(below);
                }
            }
        }

        return reached;
    }

    private static IEnumerable<string> References(string room) =>
        XDocument.Load(Path.Combine(Repository.Root, "src", room, room + ".csproj"))
            .Descendants("ProjectReference")
            .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value));

    private static IEnumerable<string> Projects() =>
        Directory.EnumerateDirectories(Path.Combine(Repository.Root, "src")).SelectMany(d => Directory.EnumerateFiles(d, "*.csproj"));
}
