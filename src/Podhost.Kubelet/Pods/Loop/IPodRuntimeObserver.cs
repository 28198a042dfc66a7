namespace Podhost.Kubelet.Pods.Loop;

/// <summary>Looks at what the runtime has of a pod.</summary>
internal interface IPodRuntimeObserver
{
    /// <summary>Everything that ended before the call is in the answer. Throws where the runtime does not answer.</summary>
    Task<RuntimeLook> LookAsync(string podUid, CancellationToken cancellationToken);

    /// <summary>Forgets what is kept about a pod that is finished.</summary>
    void Forget(string podUid);
}
