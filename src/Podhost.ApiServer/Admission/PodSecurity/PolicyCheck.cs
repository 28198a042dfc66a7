namespace Podhost.ApiServer.Admission.PodSecurity;

/// <summary>What a check has against a pod.</summary>
/// <param name="Reason">Short, for a list of many pods: <c>hostPort</c>.</param>
/// <param name="Detail">Who sets what, for one pod.</param>
internal readonly record struct Violation(string Reason, string Detail);

/// <summary>Looks at a pod; null where the check allows it.</summary>
internal delegate Violation? CheckPod(PolicyPod pod);

/// <summary>One check of the policy with its revisions.</summary>
/// <param name="Id">Upstream's id; checks of a level are told in the order of their ids.</param>
/// <param name="Level">Baseline or Restricted.</param>
/// <param name="Revisions">By the minor version from which each holds, rising.</param>
/// <param name="Overrides">The baseline check that this restricted one takes the place of, or null.</param>
internal sealed record PolicyCheck(string Id, PolicyLevel Level, IReadOnlyList<(int Since, CheckPod Check)> Revisions, string? Overrides = null)
{
    /// <summary>The revision that holds at a minor version, or null where the check came later.</summary>
    public CheckPod? At(int minor)
    {
        CheckPod? found = null;
        foreach (var (since, check) in Revisions)
        {
            found = since <= minor ? check : found;
        }

        return found;
    }
}
