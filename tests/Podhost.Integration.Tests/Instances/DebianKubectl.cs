namespace Podhost.Integration.Tests.Instances;

/// <summary>kubectl of the distribution's package (Debian 12: 1.20), unpacked, not installed.</summary>
internal static class DebianKubectl
{
    // ./test has one in its cache and names it.
    private static readonly string? Given = Environment.GetEnvironmentVariable("PODHOST_OLD_KUBECTL");

    /// <summary>Its path, or why there is none.</summary>
    public static async Task<(string? File, string? WhyNot)> GetAsync(string directory)
    {
        if (File.Exists(Given))
        {
            return (Given, null);
        }

        Directory.CreateDirectory(directory);
        var ran = await Shell.RunAsync("bash", ["-c", $"cd {directory} && apt-get download -q kubernetes-client && dpkg-deb -x kubernetes-client_*.deb ."]);
        var file = Path.Combine(directory, "usr/bin/kubectl");
        return File.Exists(file) ? (file, null) : (null, $"the package kubernetes-client cannot be downloaded: {ran.Error.Trim()}");
    }
}
