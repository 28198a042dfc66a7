using Grpc.Core;
using Podhost.Cri.Suite.Tests.Nodes;
using Podhost.Tests.Shared;

[assembly: AssemblyFixture(typeof(EmbeddedNode))]
[assembly: AssemblyFixture(typeof(ContainerdNode))]

namespace Podhost.Cri.Suite.Tests.Suite;

/// <summary>A part of the suite: its classes are abstract and derived twice, for each runtime.</summary>
public abstract class CriSuite
{
    private protected CriSuite(CriNode node)
    {
        Assert.SkipWhen((node.CannotRun ?? RegistryProcess.WhyNot()) is not null, node.CannotRun ?? RegistryProcess.WhyNot() ?? "");
        Node = node;
    }

    private protected CriNode Node { get; }

    private protected static CancellationToken Cancel => CriNode.Cancel;

    private protected static async Task<RpcException> FailsAsync(StatusCode code, Func<Task> call)
    {
        var failure = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal((code, failure.Status.Detail), (failure.StatusCode, failure.Status.Detail));
        return failure;
    }

    /// <summary>The two runtimes differ here, for the reason that is named.</summary>
    private protected T Differs<T>(T embedded, T containerd, string because)
    {
        Assert.NotEmpty(because);
        return Node.IsContainerd ? containerd : embedded;
    }
}
