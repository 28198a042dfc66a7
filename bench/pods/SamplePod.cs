using System.Text.Json;

namespace Podhost.Bench.Pods;

/// <summary>The pod that is measured: one container that waits and ends at once at SIGTERM.</summary>
internal static class SamplePod
{
    internal const string Image = "docker.io/arisu1000/simple-container-app:latest";

    /// <summary>PID 1 gets no default action for a signal: it must catch it.</summary>
    internal static readonly string[] Command = ["/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1000 & wait; done"];

    internal static string Manifest(string name) => $$"""
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{name}}"},"spec":{"automountServiceAccountToken":false,"containers":[
        {"name":"app","image":"{{Image}}","imagePullPolicy":"IfNotPresent","command":[{{string.Join(',', Command.Select(word => '"' + JsonEncodedText.Encode(word).Value + '"'))}}]} ] } }
        """;
}
