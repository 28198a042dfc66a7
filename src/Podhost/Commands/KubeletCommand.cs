using System.CommandLine;
using Podhost.Client;
using Podhost.Client.Transport;
using Podhost.Configuration;
using Podhost.Hosting;

namespace Podhost.Commands;

/// <summary><c>podhost kubelet</c>: the node alone: static pods without any API server, or joined to one with --kubeconfig.</summary>
internal static class KubeletCommand
{
    public static Command Create(TimeProvider time)
    {
        var options = new InstanceOptions();
        var kubeconfig = new Option<string?>("--kubeconfig") { Description = "join the control plane of this kubeconfig; without it only static pods run" };
        var command = new Command("kubelet", "run the node alone: static pods, or a node of another control plane");
        options.AddAllTo(command);
        var flags = new KubeletFlags();
        flags.AddAllTo(command);
        command.Options.Add(kubeconfig);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var instance = flags.Apply(parsed, options.Read(parsed));
            if (instance.StaticPodObjects && parsed.GetValue(kubeconfig) is not null)
            {
                throw new ConfigurationException("--static-pod-objects: with --kubeconfig pods have their ConfigMaps and Secrets from the API server");
            }

            if (instance.ServiceProxy == true && parsed.GetValue(kubeconfig) is null)
            {
                throw new ConfigurationException("--service-proxy: there are no Services without an API server: say --kubeconfig too");
            }

            using var held = InstanceLock.Take(instance);
            using var logs = LogSetup.Create(instance.LogLevel);
            using var transport = parsed.GetValue(kubeconfig) is { } path ? Join.Load(path) : null;
            await using var runtime = await RuntimeHost.StartAsync(instance, time, logs, cancellationToken);
            var node = new NodeHost(instance, transport?.Client, runtime.Runtime, runtime.Images, null, time, logs)
            {
                ClusterDns = DnsSettings.Configured(instance) ?? [],
                ServiceProxyClient = instance.ServiceProxy == true ? transport?.Client : null,
                OnListening = ReadinessNotice.SendReady,
            };
            await Loops.RunAllAsync([node.RunAsync, stop => runtime.Completion.WaitAsync(stop)], cancellationToken);
            return 0;
        });
        return command;
    }

    private sealed class Join(HttpMessageInvoker invoker, IApiClient client) : IDisposable
    {
        public IApiClient Client { get; } = client;

        public static Join Load(string path)
        {
            try
            {
                var config = KubeConfig.Load(path);
                var invoker = HttpsTransport.Create(config);
                return new Join(invoker, new ApiClient(invoker, new ApiClientOptions { BaseAddress = config.Server, UserAgent = "podhost-kubelet" }));
            }
            catch (Exception e) when (e is IOException or FormatException or NotSupportedException)
            {
                throw new ConfigurationException($"--kubeconfig: {path}: {e.Message}");
            }
        }

        public void Dispose() => invoker.Dispose();
    }
}
