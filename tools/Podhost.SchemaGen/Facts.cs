namespace Podhost.SchemaGen;

/// <summary>What the models do not say of a field.</summary>
internal sealed record FieldFacts(
    string PatchStrategy, string MergeKey, string ListType, string ListMapKeys, string MapType, string Default);

/// <summary>The fact files: upstream's patch and list markers, required fields, structs that are atomic as a whole.</summary>
internal sealed class Facts
{
    private readonly Dictionary<(string Type, string Field), FieldFacts> fields = [];
    private readonly HashSet<(string Model, string Field)> required = [];
    private readonly HashSet<(string Model, string Field)> microTimes = [];
    private readonly HashSet<string> atomicTypes = [];

    public static Facts Read(string directory)
    {
        var facts = new Facts();
        foreach (var c in Rows(Path.Combine(directory, "fields.tsv")))
        {
            facts.fields[("io.k8s." + c[0], c[1])] = new FieldFacts(c[2], c[3], c[4], c[5], c[6], c[7]);
        }

        foreach (var c in Rows(Path.Combine(directory, "required.tsv")))
        {
            var key = (ModelName(c[0]), c[1]);
            if (c[2] == "required")
            {
                facts.required.Add(key);
            }

            if (c[3] == "microTime")
            {
                facts.microTimes.Add(key);
            }
        }

        foreach (var c in Rows(Path.Combine(directory, "atomic-types.tsv")))
        {
            facts.atomicTypes.Add("io.k8s." + c[0]);
        }

        return facts;
    }

    public FieldFacts? Of(string type, string field) => fields.GetValueOrDefault((type, field));

    public bool IsRequired(string model, string field) => required.Contains((model, field));

    public bool IsMicroTime(string model, string field) => microTimes.Contains((model, field));

    public bool IsAtomic(string type) => atomicTypes.Contains(type);

    /// <summary>Facts that name a written type but no field of it, or an atomic type that is not written.</summary>
    public IEnumerable<string> Unmatched(IReadOnlyList<TypeModel> types)
    {
        var byName = types.ToDictionary(t => t.Name);
        var packages = types.Select(t => Package(t.Name)).ToHashSet();
        foreach (var (type, field) in fields.Keys)
        {
            if (byName.TryGetValue(type, out var t) && t.Fields.All(f => f.Name != field))
            {
                yield return $"{type} {field}";
            }
        }

        foreach (var type in atomicTypes.Where(a => packages.Contains(Package(a)) && !byName.ContainsKey(a)))
        {
            yield return $"{type} (atomic)";
        }
    }

    // CoreV1Event in the declarations is Corev1Event in the models.
    private static string ModelName(string declared)
    {
        var v = declared.IndexOf("V1", StringComparison.Ordinal);
        return v > 0 ? declared[..v] + "v1" + declared[(v + 2)..] : declared;
    }

    private static string Package(string type) => type[..type.LastIndexOf('.')];

    private static IEnumerable<string[]> Rows(string file) => File.ReadLines(file)
        .Skip(1).Where(l => l.Length > 0).Select(l => l.Split('\t'));
}
