using System.Diagnostics;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Patterns;

/// <summary>Promise 12: the multi-container patterns, by the examples as they are.</summary>
public sealed class PatternTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_sidecar_ships_the_log_of_a_web_server_and_restarts_alone()
    {
        const string pod = "web-with-log-shipper";
        await ApplyAsync("sidecar");
        await K.ReadyAsync(pod);
        var url = $"http://{await K.FieldAsync(pod, ".status.podIP")}:8080/";
        Assert.Contains("out of a pod", await Shell.PageAsync(url + "index.html"));
        await LoggedAsync(pod, "log-shipper", "{\"pod\":\"web-with-log-shipper\",\"line\":\".*url:/index.html\"}");

        await EndAsync(pod, "log-shipper");
        await K.WaitAsync(pod, ".status.initContainerStatuses[0].restartCount", "1");
        Assert.Contains("HOSTNAME=", await Shell.PageAsync(url + "cgi-bin/env"));
        await LoggedAsync(pod, "log-shipper", "(?s)index\\.html.*cgi-bin/env"); // the file was not the shipper's: nothing is lost
        Assert.Equal("0", await K.FieldAsync(pod, ".status.containerStatuses[0].restartCount"));
    }

    [Fact]
    public async Task An_ambassador_leads_from_localhost_to_a_server_outside()
    {
        const string pod = "app-with-ambassador";
        await ApplyAsync("ambassador");
        await K.ReadyAsync(pod);
        await K.ReadyAsync("outside-server");
        await LoggedAsync(pod, "app", "Hello, World! This page comes out of a pod.");
        Assert.Contains("localhost:9000 leads to outside-server:8080", await K.OkAsync($"logs {pod} -c ambassador"));

        // Led elsewhere (to where nobody listens), the application is the same: it only sees another server.
        await K.OkAsync("patch configmap outside --type=merge -p", "{\"data\":{\"port\":\"81\"}}");
        await EndAsync(pod, "ambassador");
        await K.WaitAsync(pod, ".status.initContainerStatuses[0].restartCount", "1");
        await LoggedAsync(pod, "app", "no answer");
        Assert.Contains("localhost:9000 leads to outside-server:81", await K.OkAsync($"logs {pod} -c ambassador"));
        Assert.Equal("0", await K.FieldAsync(pod, ".status.containerStatuses[0].restartCount"));
    }

    [Fact]
    public async Task An_adapter_tells_the_numbers_of_different_programs_in_one_format()
    {
        await ApplyAsync("adapter");
        foreach (var pod in new[] { "shop", "queue" })
        {
            await K.ReadyAsync(pod);
            var page = await Shell.PageAsync($"http://{await K.FieldAsync(pod, ".status.podIP")}:9100/cgi-bin/metrics");
            Assert.Matches(
                $"^# HELP app_requests_total Number of requests\\.\n# TYPE app_requests_total counter\napp_requests_total{{app=\"{pod}\"}} [1-9][0-9]*\n"
                + $"# HELP app_errors_total Number of errors\\.\n# TYPE app_errors_total counter\napp_errors_total{{app=\"{pod}\"}} [0-9]+\n$",
                page);
        }

        // What the programs themselves say is different.
        Assert.StartsWith("requests=", await K.ShAsync("shop", "cat /status/status", "app"));
        Assert.StartsWith("{\"requests\": ", await K.ShAsync("queue", "cat /status/status", "app"));
    }

    private Task ApplyAsync(string pattern) => K.OkAsync("apply -f", Path.Combine(Executable.Source, "examples/patterns", pattern, "pod.yaml"));

    // The shell that kills may itself end with the container: its exit code tells nothing.
    private Task EndAsync(string pod, string container) => K.RunAsync(["exec", pod, "-c", container, "--", "kill", "1"], null);

    private async Task LoggedAsync(string pod, string container, string pattern)
    {
        string log;
        for (var start = Stopwatch.StartNew(); !System.Text.RegularExpressions.Regex.IsMatch(log = await K.OkAsync($"logs {pod} -c {container}"), pattern);)
        {
            Assert.True(start.Elapsed < TimeSpan.FromSeconds(30), $"{container} says only:\n{log}");
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        }
    }
}
