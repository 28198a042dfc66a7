using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Policy;

/// <summary>/metrics/cadvisor of the node, through the API server.</summary>
public sealed class CadvisorTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task The_series_of_cadvisor_are_there_with_its_labels()
    {
        await K.ApplyAsync(ShellPod("measured", "ping -c 1 $(hostname -i); sleep 1000", "resources: {limits: {cpu: 200m, memory: 64Mi}}"));
        await K.ReadyAsync("measured");
        var pod = await K.JsonAsync("get pod measured");
        var id = ((string)pod["status"]!["containerStatuses"]![0]!["containerID"]!).Split("://")[1];
        var cgroup = $"{Cluster.CgroupRoot}/kubepods/pod{pod["metadata"]!["uid"]}";
        var ofPod = $"namespace=\"{K.Namespace}\",pod=\"measured\"";
        var labels = $"id=\"{cgroup}/{id}\",image=\"{pod["status"]!["containerStatuses"]![0]!["image"]}\"";
        var series = (await K.OkAsync("get --raw", $"/api/v1/nodes/{Cluster.Node}/proxy/metrics/cadvisor")).Split('\n')
            .Where(l => l.Contains('}', StringComparison.Ordinal) && l[0] != '#').ToDictionary(l => l[..(l.LastIndexOf('}') + 1)], l => l[(l.LastIndexOf('}') + 1)..].Trim().Split(' ')[0]);

        Assert.Equal("67108864", series[$"container_spec_memory_limit_bytes{{container=\"main\",{labels},name=\"{id}\",{ofPod}}}"]);
        Assert.Equal("20000", series[$"container_spec_cpu_quota{{container=\"main\",{labels},name=\"{id}\",{ofPod}}}"]);
        Assert.Contains($"container_cpu_usage_seconds_total{{container=\"main\",cpu=\"total\",{labels},name=\"{id}\",{ofPod}}}", series);
        Assert.Equal("0", series[$"container_oom_events_total{{container=\"main\",{labels},name=\"{id}\",{ofPod}}}"]);
        foreach (var name in (string[])["memory_working_set_bytes", "memory_usage_bytes", "memory_rss", "processes", "start_time_seconds", "file_descriptors"])
        {
            Assert.True(Number($"container_{name}{{container=\"main\",{labels},name=\"{id}\",{ofPod}}}") > 0, name);
        }

        Assert.True(Number($"container_memory_usage_bytes{{container=\"\",id=\"{cgroup}\",image=\"\",name=\"\",{ofPod}}}") > 0);
        Assert.Contains($"container_network_receive_packets_total{{container=\"\",id=\"{cgroup}\",image=\"\",interface=\"eth0\",name=\"\",{ofPod}}}", series);

        // What upstream's node conformance suite asks for of each container.
        foreach (var name in (string[])["blkio_device_usage_total", "fs_reads_bytes_total", "fs_reads_total", "fs_writes_bytes_total", "fs_writes_total", "sockets", "threads_max", "ulimits_soft"])
        {
            Assert.Contains(series.Keys, k => k.StartsWith($"container_{name}{{container=\"main\"", StringComparison.Ordinal) && k.Contains($"namespace=\"{K.Namespace}\"", StringComparison.Ordinal));
        }

        Assert.Single(series.Keys, k => k.StartsWith("container_fs_usage_bytes{container=\"main\"", StringComparison.Ordinal) && k.Contains(ofPod, StringComparison.Ordinal));
        Assert.True(Number(series.Keys.Single(k => k.StartsWith("machine_cpu_cores{boot_id=", StringComparison.Ordinal))) >= 1);
        await K.OkAsync("delete pod measured --grace-period=0 --force");

        double Number(string key) => double.Parse(series[key], System.Globalization.CultureInfo.InvariantCulture);
    }
}
