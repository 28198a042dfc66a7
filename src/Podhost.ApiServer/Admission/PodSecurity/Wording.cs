namespace Podhost.ApiServer.Admission.PodSecurity;

/// <summary>How violations name who is at fault.</summary>
internal static class Wording
{
    public static string Quote(IEnumerable<string> names) => string.Join(", ", names.Select(n => $"\"{n}\""));

    public static string Plural(string one, string many, int count) => count == 1 ? one : many;

    /// <summary><c>container "a"</c> or <c>containers "a", "b"</c>.</summary>
    public static string Containers(IReadOnlyCollection<string> names) => $"{Plural("container", "containers", names.Count)} {Quote(names)}";

    /// <summary><c>pod and containers "a", "b"</c>; null where neither is at fault.</summary>
    public static string? Setters(bool pod, IReadOnlyCollection<string> containers) => (pod, containers.Count) switch
    {
        (false, 0) => null,
        (true, 0) => "pod",
        (false, _) => Containers(containers),
        _ => "pod and " + Containers(containers),
    };
}
