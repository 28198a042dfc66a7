using Microsoft.Extensions.Logging;
using Podhost.Linux.Processes;
using Podhost.Linux.Security;

namespace Podhost.Runtime.Spec;

/// <summary>Loads <see cref="DefaultAppArmorProfile"/> at start, where the kernel enforces AppArmor and apparmor_parser is installed.</summary>
internal sealed partial class AppArmorLoader(ILogger<AppArmorLoader> logger)
{
    private const string Parser = "apparmor_parser";

    /// <summary>The name of the default profile; null where there is none: the containers then run without, as ever without AppArmor.</summary>
    internal async Task<string?> LoadAsync(bool hasAppArmor, CancellationToken cancellationToken)
    {
        if (!hasAppArmor)
        {
            return null;
        }

        if (ProgramFinder.Find(Parser) is not { } program)
        {
            LogNotLoaded(Parser + " is not installed");
            return null;
        }

        // Replaced at each start: a later version may have another text.
        var request = new SpawnRequest(program, ["--skip-cache", "--replace"]) { Environment = [ProcessSpawner.DefaultPath] };
        var result = await ProgramRunner.RunAsync(request, DefaultAppArmorProfile.Text(), cancellationToken);
        if (result.ExitCode == 0 && AppArmorProfiles.Loaded(MachineLimits.AppArmorProfiles()).Contains(DefaultAppArmorProfile.Name))
        {
            return DefaultAppArmorProfile.Name;
        }

        LogNotLoaded(result.Error.Trim());
        return null;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Containers have no AppArmor profile by default: {Why}")]
    private partial void LogNotLoaded(string why);
}
