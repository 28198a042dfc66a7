namespace Podhost.Integration.Tests.Instances;

/// <summary>Tests on the shared instance; a class has a namespace of its own.</summary>
public abstract class ClusterTest : IAsyncLifetime
{
    private readonly string _namespace;

    protected ClusterTest(ClusterFixture cluster)
    {
        Assert.SkipWhen(cluster.CannotRun is not null, cluster.CannotRun ?? "");
        Cluster = cluster.Instance;
        _namespace = string.Concat(GetType().Name.Select((c, i) => char.IsUpper(c) && i > 0 ? $"-{char.ToLowerInvariant(c)}" : $"{char.ToLowerInvariant(c)}"));
        K = Cluster.Kubectl.In(_namespace);
    }

    /// <summary>The instance.</summary>
    protected Instance Cluster { get; }

    /// <summary>kubectl in the class's namespace.</summary>
    protected Kubectl K { get; }

    public async ValueTask InitializeAsync()
    {
        var created = await Cluster.Kubectl.RunAsync($"create namespace {_namespace}");
        Assert.True(created.Code == 0 || created.Error.Contains("AlreadyExists", StringComparison.Ordinal), created.Error);
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>A pod of one container that runs a shell script.</summary>
    protected static string ShellPod(string name, string script, string containerMore = "", string podMore = "") => $$$"""
        apiVersion: v1
        kind: Pod
        metadata: {name: {{{name}}}, labels: {app: {{{name}}}}}
        spec:
          terminationGracePeriodSeconds: 1
          {{{podMore}}}
          containers:
          - name: main
            image: busybox:stable
            command: [sh, -c, {{{System.Text.Json.JsonSerializer.Serialize(script)}}}]
            {{{containerMore}}}
        """;
}
