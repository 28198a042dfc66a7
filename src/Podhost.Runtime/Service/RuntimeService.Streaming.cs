using Grpc.Core;
using Podhost.Cri.V1;
using Podhost.Streaming.Server;

namespace Podhost.Runtime.Service;

/// <summary>The calls that hand out streaming URLs.</summary>
internal sealed partial class RuntimeService
{
    public Task<ExecResponse> ExecAsync(ExecRequest request, CancellationToken cancellationToken)
    {
        var container = Running(request.ContainerId);
        return Task.FromResult(new ExecResponse
        {
            Url = Url(() => verbs.Streaming.GetExec(container.Id, [.. request.Cmd], request.Tty, request.Stdin, request.Stdout, request.Stderr)),
        });
    }

    public Task<AttachResponse> AttachAsync(AttachRequest request, CancellationToken cancellationToken)
    {
        var container = Running(request.ContainerId);
        return Task.FromResult(new AttachResponse
        {
            Url = Url(() => verbs.Streaming.GetAttach(container.Id, request.Tty, request.Stdin, request.Stdout, request.Stderr)),
        });
    }

    public Task<PortForwardResponse> PortForwardAsync(PortForwardRequest request, CancellationToken cancellationToken)
    {
        var sandbox = context.State.GetSandbox(request.PodSandboxId);
        if (sandbox.State != PodSandboxState.SandboxReady)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"sandbox {sandbox.Id} is not ready"));
        }

        return Task.FromResult(new PortForwardResponse { Url = Url(() => verbs.Streaming.GetPortForward(sandbox.Id, [.. request.Port])) });
    }

    private static string Url(Func<string> make)
    {
        try
        {
            return make();
        }
        catch (ArgumentException failure)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, failure.Message));
        }
        catch (StreamingCapacityException failure)
        {
            throw new RpcException(new Status(StatusCode.ResourceExhausted, failure.Message));
        }
    }

    private State.Container Running(string id)
    {
        var container = context.State.GetContainer(id);
        return container.State == ContainerState.ContainerRunning
            ? container
            : throw new RpcException(new Status(StatusCode.FailedPrecondition, $"container {container.Id} is not running"));
    }
}
