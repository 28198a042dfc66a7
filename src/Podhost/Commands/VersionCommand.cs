using System.CommandLine;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Podhost.Commands;

/// <summary><c>podhost version</c>.</summary>
internal static class VersionCommand
{
    /// <summary>The Kubernetes API that this version serves.</summary>
    public const string KubernetesVersion = "v1.36.0";

    public static string ProductVersion =>
        typeof(VersionCommand).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";

    public static Command Create()
    {
        var command = new Command("version", "print the version");
        command.SetAction(parsed =>
        {
            parsed.InvocationConfiguration.Output.WriteLine($"podhost {ProductVersion} (Kubernetes {KubernetesVersion}, {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier})");
            return 0;
        });
        return command;
    }
}
