namespace Podhost.Integration.Tests.Workloads;

/// <summary>Manifests that the tests of workloads share.</summary>
internal static class Manifests
{
    /// <summary>A Deployment whose pods end at once when they are told to, labelled app=NAME.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="replicas">Its pods.</param>
    /// <param name="containerMore">A line more of the container.</param>
    public static string Deployment(string name, int replicas, string containerMore) => $$$"""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: {{{name}}}}
        spec:
          replicas: {{{replicas}}}
          selector: {matchLabels: {app: {{{name}}}}}
          template:
            metadata: {labels: {app: {{{name}}}}}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - name: main
                image: busybox:stable
                {{{containerMore}}}
                command: [sh, -c, 'trap "exit 0" TERM; while :; do sleep 1; done']
        """;

    /// <summary>A StatefulSet whose pods end at once when they are told to, labelled app=NAME, with the service NAME.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="replicas">Its pods.</param>
    /// <param name="containerMore">A line more of the container.</param>
    /// <param name="more">Lines more of the spec, indented by two.</param>
    public static string StatefulSet(string name, int replicas, string containerMore, string more = "") => $$$"""
        apiVersion: apps/v1
        kind: StatefulSet
        metadata: {name: {{{name}}}}
        spec:
          replicas: {{{replicas}}}
          serviceName: {{{name}}}
          selector: {matchLabels: {app: {{{name}}}}}
          template:
            metadata: {labels: {app: {{{name}}}}}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - name: main
                image: busybox:stable
                {{{containerMore}}}
                command: [sh, -c, 'trap "exit 0" TERM; sleep 3600 & wait']

        """ + more;
}
