using System.Buffers;
using k8s.Models;
using Podhost.Api.Objects;
using Podhost.Cri.Services;
using Podhost.Cri.V1;
using Podhost.Kubelet.Containers;
using Podhost.Kubelet.Pods;

namespace Podhost.Kubelet.Server;

/// <summary>/pods (what the kubelet was given, with status) and /runningpods (what the runtime runs).</summary>
internal sealed class PodsHandler(IPodDirectory pods, IRuntimeService runtime)
{
    public byte[] Pods() => Encode(pods.List());

    public async Task<byte[]> RunningPodsAsync(CancellationToken cancellationToken)
    {
        var request = new ListContainersRequest { Filter = new ContainerFilter { State = new ContainerStateValue { State = ContainerState.ContainerRunning } } };
        var response = await runtime.ListContainersAsync(request, cancellationToken).ConfigureAwait(false);
        return Encode(response.Containers.GroupBy(c => c.Labels.GetValueOrDefault(CriLabels.PodUid, "")).Select(Pod));
    }

    private static V1Pod Pod(IGrouping<string, Container> containers)
    {
        var labels = containers.First().Labels;
        return new V1Pod
        {
            Metadata = new V1ObjectMeta
            {
                Name = labels.GetValueOrDefault(CriLabels.PodName, ""),
                NamespaceProperty = labels.GetValueOrDefault(CriLabels.PodNamespace, ""),
                Uid = containers.Key,
            },
            Spec = new V1PodSpec
            {
                Containers = [.. containers.Select(c => new V1Container { Name = c.Labels.GetValueOrDefault(CriLabels.ContainerName, ""), Image = c.Image?.Image })],
            },
            Status = new V1PodStatus(),
        };
    }

    private static byte[] Encode(IEnumerable<V1Pod> items)
    {
        var json = new ArrayBufferWriter<byte>(4096);
        json.Write("""{"kind":"PodList","apiVersion":"v1","metadata":{},"items":["""u8);
        var first = true;
        foreach (var pod in items)
        {
            if (!first)
            {
                json.Write(","u8);
            }

            first = false;
            json.Write(ObjectCodec.ToUtf8(pod));
        }

        json.Write("]}\n"u8);
        return json.WrittenSpan.ToArray();
    }
}
