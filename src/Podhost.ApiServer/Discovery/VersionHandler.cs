using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Podhost.Api.Objects;
using Podhost.ApiServer.Routes;

namespace Podhost.ApiServer.Discovery;

/// <summary>/version: the Kubernetes version whose API is served.</summary>
internal static class VersionHandler
{
    private static readonly byte[] Body = ObjectCodec.ToUtf8(new JsonObject
    {
        ["major"] = "1",
        ["minor"] = "36",
        ["emulationMajor"] = "1",
        ["emulationMinor"] = "36",
        ["minCompatibilityMajor"] = "1",
        ["minCompatibilityMinor"] = "35",
        ["gitVersion"] = "v1.36.0+podhost",
        ["gitCommit"] = "",
        ["gitTreeState"] = "clean",
        ["buildDate"] = "1970-01-01T00:00:00Z",
        ["goVersion"] = RuntimeInformation.FrameworkDescription,
        ["compiler"] = "ryujit",
        ["platform"] = "linux/" + (RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "amd64"),
    });

    public static ValueTask HandleAsync(RequestContext context) => ResponseWriter.WriteJsonAsync(context, 200, Body);
}
