using k8s.Models;

namespace Podhost.Control.Scheduler.Filters;

/// <summary>Whether tolerations cover a taint.</summary>
internal static class Tolerations
{
    public static bool Tolerates(IEnumerable<V1Toleration>? tolerations, V1Taint taint) => (tolerations ?? []).Any(t => Covers(t, taint));

    private static bool Covers(V1Toleration toleration, V1Taint taint)
    {
        if (!string.IsNullOrEmpty(toleration.Effect) && toleration.Effect != taint.Effect)
        {
            return false;
        }

        if (!string.IsNullOrEmpty(toleration.Key) && toleration.Key != taint.Key)
        {
            return false;
        }

        return toleration.OperatorProperty switch
        {
            "Exists" => true,
            null or "" or "Equal" => (toleration.Value ?? "") == (taint.Value ?? ""),
            "Lt" => Compare(taint, toleration) is < 0,
            "Gt" => Compare(taint, toleration) is > 0,
            _ => false,
        };
    }

    private static int? Compare(V1Taint taint, V1Toleration toleration) =>
        long.TryParse(taint.Value, out var left) && long.TryParse(toleration.Value, out var right) ? left.CompareTo(right) : null;
}
