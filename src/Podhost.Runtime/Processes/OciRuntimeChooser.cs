using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Podhost.Linux.Cgroups;
using Podhost.Linux.Processes;
using Podhost.Runtime.Spec;

namespace Podhost.Runtime.Processes;

/// <summary>What trying a runtime's program has shown.</summary>
/// <param name="Program">Its path.</param>
/// <param name="Modified">The file's modification time, in ticks: another file is tried anew.</param>
/// <param name="Layout">The cgroup layout of the trial.</param>
/// <param name="Problem">Why it does not work here; null when it does.</param>
internal sealed record RuntimeVerdict(string Program, long Modified, string Layout, string? Problem);

[JsonSerializable(typeof(List<RuntimeVerdict>))]
internal sealed partial class VerdictJson : JsonSerializerContext;

/// <summary>
/// Chooses the OCI runtime by running a container with it: what a program's version promises, the machine may refuse (crun on hybrid
/// cgroups). The verdict is kept as long as the program and the cgroup layout stay what they are.
/// </summary>
internal sealed partial class OciRuntimeChooser(RuntimePaths paths, CgroupTree cgroups, HostFacts host, ILogger logger)
{
    private readonly VerdictFile _verdicts = new(paths.RuntimeVerdict);

    /// <summary>The first of the candidates that works. FailedPrecondition, with each one's reason, when none does.</summary>
    internal async Task<OciRuntime> ChooseAsync(IReadOnlyList<string> candidates, CancellationToken cancellationToken)
    {
        var reasons = new List<string>();
        foreach (var candidate in candidates)
        {
            var problem = ProgramFinder.Find(candidate) is { } program ? await TryAsync(program, cancellationToken) : "not installed";
            if (problem is null)
            {
                LogChosen(candidate, reasons.Count == 0 ? "it works here" : string.Join("; ", reasons));
                return new OciRuntime(ProgramFinder.Find(candidate)!, paths.OciState);
            }

            reasons.Add($"{candidate}: {problem}");
        }

        throw new RpcException(new Status(StatusCode.FailedPrecondition, $"no OCI runtime works on this machine ({string.Join("; ", reasons)})"));
    }

    private Task<string?> TryAsync(string program, CancellationToken cancellationToken) =>
        _verdicts.GetAsync(program, cgroups.Layout.Fingerprint, () => RunTrialAsync(program, cancellationToken));

    private async Task<string?> RunTrialAsync(string program, CancellationToken cancellationToken)
    {
        var id = "podhost-trial-" + Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        var bundle = paths.Bundle(id);
        var runtime = new OciRuntime(program, paths.OciState);
        Directory.CreateDirectory(bundle);
        if (cgroups.IsV2)
        {
            // As for pods: whoever makes a cgroup has the controllers passed on to it, also where the top is not the machine's.
            cgroups.Create("/" + id);
        }

        try
        {
            await File.WriteAllTextAsync(Path.Combine(bundle, "config.json"), Trial(id).ToJsonString(), cancellationToken);
            var result = await ProgramRunner.RunAsync(runtime.Request(["run", "--bundle", bundle, id]), null, cancellationToken);
            return result.ExitCode == 0 ? null : OciRuntime.Explain(result.Error);
        }
        finally
        {
            Directory.Delete(bundle, true);
            if (Directory.Exists(Path.Combine(paths.OciState, id)))
            {
                await ProgramRunner.RunAsync(runtime.Request(["delete", "--force", id]), null, CancellationToken.None);
            }

            cgroups.TryRemove("/" + id);
        }
    }

    private JsonObject Trial(string id) => InfraSpec.Build(new InfraSpecInput
    {
        RootfsPath = paths.InfraRoot,
        Arguments = [InfraSpec.Program, "--version"],
        CgroupPath = "/" + id,
        Namespaces = new SpecNamespaces(string.Empty, string.Empty, string.Empty, string.Empty),
        MinOomScoreAdjust = host.MinOomScoreAdjust,
    });

    [LoggerMessage(Level = LogLevel.Information, Message = "Containers run with {Runtime} ({Reason})")]
    private partial void LogChosen(string runtime, string reason);
}
