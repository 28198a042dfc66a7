using k8s.Models;

namespace Podhost.Control.Controllers.EndpointSlices;

/// <summary>Makes slices say what the endpoints are, with few writes: an endpoint stays in the slice in which it is. Pure.</summary>
internal static class SlicePlanner
{
    /// <summary>Most endpoints in a slice, as upstream's --max-endpoints-per-slice.</summary>
    public const int MaxEndpoints = 100;

    /// <summary>Plans the writes for one address family.</summary>
    /// <param name="template">What the slices have in common.</param>
    /// <param name="family">The family of all given slices.</param>
    /// <param name="present">Its slices as they are; not changed.</param>
    /// <param name="groups">What they must say.</param>
    public static SlicePlan Plan(SliceTemplate template, string family, IEnumerable<V1EndpointSlice> present, IReadOnlyList<EndpointGroup> groups)
    {
        var plan = new SlicePlan([], [], []);
        var byKey = present.OrderBy(s => s.Metadata.Name, StringComparer.Ordinal).ToLookup(s => SliceRules.PortsKey(s.Ports));
        foreach (var group in groups)
        {
            PlanGroup(template, family, [.. byKey[group.Key]], group, plan);
        }

        var wanted = groups.Select(g => g.Key).ToHashSet();
        plan.Delete.AddRange(byKey.Where(g => !wanted.Contains(g.Key)).SelectMany(g => g));
        return plan;
    }

    private static void PlanGroup(SliceTemplate template, string family, List<V1EndpointSlice> present, EndpointGroup group, SlicePlan plan)
    {
        var missing = group.Endpoints.GroupBy(SliceRules.Identity).ToDictionary(g => g.Key, g => g.First());
        var contents = present.Select(s => Keep(s, missing)).ToList();
        var rest = new Queue<V1Endpoint>(group.Endpoints.Where(e => missing.Remove(SliceRules.Identity(e))));
        foreach (var content in contents)
        {
            while (content.Count < MaxEndpoints && rest.TryDequeue(out var next))
            {
                content.Add(next);
            }
        }

        for (var i = 0; i < present.Count; i++)
        {
            // One slice stays where nothing is left, so that a Service without endpoints has an empty one.
            if (contents[i].Count == 0 && (group.Endpoints.Count > 0 || i > 0))
            {
                plan.Delete.Add(present[i]);
            }
            else if (!IsSame(template, present[i], contents[i]))
            {
                plan.Update.Add(Slice(template, family, group, contents[i], present[i]));
            }
        }

        if (rest.Count == 0 && present.Count == 0)
        {
            plan.Create.Add(Slice(template, family, group, [], null));
        }

        plan.Create.AddRange(rest.Chunk(MaxEndpoints).Select(chunk => Slice(template, family, group, [.. chunk], null)));
    }

    // The endpoints of a slice that are still wanted, as they are wanted now; they are missing no more.
    private static List<V1Endpoint> Keep(V1EndpointSlice slice, Dictionary<string, V1Endpoint> missing)
    {
        var kept = new List<V1Endpoint>();
        foreach (var endpoint in slice.Endpoints ?? [])
        {
            if (kept.Count < MaxEndpoints && missing.Remove(SliceRules.Identity(endpoint), out var wanted))
            {
                kept.Add(wanted);
            }
        }

        return kept;
    }

    private static bool IsSame(SliceTemplate template, V1EndpointSlice present, List<V1Endpoint> wanted)
    {
        var endpoints = present.Endpoints ?? [];
        return endpoints.Count == wanted.Count
            && endpoints.Zip(wanted).All(p => SliceRules.IsSame(p.First, p.Second))
            && SameMap(present.Metadata.Labels, template.Labels)
            && (template.Annotations is null || SameMap(present.Metadata.Annotations, template.Annotations))
            && present.Metadata.OwnerReferences?.Any(o => o.Uid == template.Owner.Uid) == true;
    }

    private static bool SameMap(IDictionary<string, string>? a, IReadOnlyDictionary<string, string> b) =>
        (a?.Count ?? 0) == b.Count && b.All(l => a!.TryGetValue(l.Key, out var value) && value == l.Value);

    private static V1EndpointSlice Slice(SliceTemplate template, string family, EndpointGroup group, List<V1Endpoint> endpoints, V1EndpointSlice? present) => new()
    {
        ApiVersion = "discovery.k8s.io/v1",
        Kind = "EndpointSlice",
        Metadata = new V1ObjectMeta
        {
            Name = present?.Metadata.Name,
            GenerateName = $"{template.Name}-",
            NamespaceProperty = template.Namespace,
            ResourceVersion = present?.Metadata.ResourceVersion,
            Labels = new Dictionary<string, string>(template.Labels),
            Annotations = template.Annotations is { } annotations ? new Dictionary<string, string>(annotations) : present?.Metadata.Annotations,
            OwnerReferences = [template.Owner],
        },
        AddressType = family,
        Endpoints = endpoints,
        Ports = [.. group.Ports],
    };
}

/// <summary>The writes that a plan asks for.</summary>
internal sealed record SlicePlan(List<V1EndpointSlice> Create, List<V1EndpointSlice> Update, List<V1EndpointSlice> Delete)
{
    public bool IsEmpty => Create.Count + Update.Count + Delete.Count == 0;
}

/// <summary>What all slices of one Service have in common.</summary>
/// <param name="Namespace">Their namespace.</param>
/// <param name="Name">The start of their names.</param>
/// <param name="Labels">Their labels.</param>
/// <param name="Owner">Whom they go with.</param>
/// <param name="Annotations">Their annotations; null: those that they have stay.</param>
internal sealed record SliceTemplate(
    string Namespace, string Name, IReadOnlyDictionary<string, string> Labels, V1OwnerReference Owner, IReadOnlyDictionary<string, string>? Annotations);
