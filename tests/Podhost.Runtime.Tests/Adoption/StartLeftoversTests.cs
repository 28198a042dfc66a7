using System.Diagnostics;
using Podhost.Runtime.Processes;

namespace Podhost.Runtime.Tests.Adoption;

/// <summary>What still works on a container that was given up is ended, with what it started; nobody else is.</summary>
public sealed class StartLeftoversTests
{
    [Fact]
    public void What_has_the_bundle_among_its_arguments_is_ended_with_its_children()
    {
        var bundle = "/run/bundles/" + Guid.NewGuid().ToString("n");
        using var monitor = Process.Start(new ProcessStartInfo("sh", ["-c", "sleep 1001 & echo $!; wait", "sh", "-b", bundle]) { RedirectStandardOutput = true })!;
        using var child = Process.GetProcessById(int.Parse(monitor.StandardOutput.ReadLine()!, System.Globalization.CultureInfo.InvariantCulture));
        using var other = Process.Start("sleep", ["1002"]);
        using var similar = Process.Start(new ProcessStartInfo("sh", ["-c", "sleep 1003; true", "sh", "-b", bundle + "1"]));
        try
        {
            StartLeftovers.End(bundle);
            Assert.True(monitor.WaitForExit(TimeSpan.FromSeconds(10)));
            Assert.True(child.WaitForExit(TimeSpan.FromSeconds(10)));
            Assert.False(other.HasExited);
            Assert.False(similar!.HasExited);
        }
        finally
        {
            other.Kill();
            similar!.Kill(entireProcessTree: true);
        }
    }
}
