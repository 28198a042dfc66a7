namespace Podhost.Kubelet.Pods.Decide;

/// <summary>In-place resize: a running container whose resources in the spec differ from those that it runs with gets the new ones.</summary>
internal static class ResizeRules
{
    public static void Apply(DecisionPass pass)
    {
    }
}
