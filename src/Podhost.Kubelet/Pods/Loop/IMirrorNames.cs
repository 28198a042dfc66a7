namespace Podhost.Kubelet.Pods.Loop;

/// <summary>Which static pod a mirror pod shows.</summary>
internal interface IMirrorNames
{
    /// <summary>The UID of the static pod of a mirror pod, or null where the UID is no mirror's.</summary>
    string? StaticUidOf(string mirrorUid);
}
