namespace Podhost.Api.OpenApi;

/// <summary>A query parameter.</summary>
internal sealed record ApiParameter(string Name, string Type, string Description)
{
    private static readonly ApiParameter DryRun = new("dryRun", "string", "With the value All nothing is stored.");
    private static readonly ApiParameter FieldManager = new("fieldManager", "string", "The name under which the ownership of fields is recorded.");
    private static readonly ApiParameter FieldValidation = new("fieldValidation", "string",
        "What happens with unknown and duplicate fields: Ignore, Warn or Strict.");
    private static readonly ApiParameter Force = new("force", "boolean", "Takes fields that other managers own. For apply only.");
    private static readonly ApiParameter Container = new("container", "string", "The container; may be left out where the pod has one only.");

    public static readonly IReadOnlyList<ApiParameter> None = [];

    public static readonly IReadOnlyList<ApiParameter> Write = [DryRun, FieldManager, FieldValidation];

    public static readonly IReadOnlyList<ApiParameter> Patch = [DryRun, FieldManager, FieldValidation, Force];

    public static readonly IReadOnlyList<ApiParameter> Delete =
    [
        DryRun,
        new("gracePeriodSeconds", "integer", "Seconds until the object is removed; 0 removes it at once."),
        new("orphanDependents", "boolean", "Deprecated, see propagationPolicy."),
        new("propagationPolicy", "string", "What becomes of dependents: Orphan, Background or Foreground."),
    ];

    public static readonly IReadOnlyList<ApiParameter> List =
    [
        new("allowWatchBookmarks", "boolean", "Asks for events of type BOOKMARK."),
        new("continue", "string", "Where the list goes on: the token of the previous page."),
        new("fieldSelector", "string", "Restricts the objects by their fields."),
        new("labelSelector", "string", "Restricts the objects by their labels."),
        new("limit", "integer", "The most objects of one page."),
        new("resourceVersion", "string", "How old the answer may be, or where a watch begins."),
        new("resourceVersionMatch", "string", "How resourceVersion is meant: Exact or NotOlderThan."),
        new("sendInitialEvents", "boolean", "Begins a watch with the present objects, followed by a bookmark."),
        new("timeoutSeconds", "integer", "Seconds after which the call ends."),
        new("watch", "boolean", "Asks for a stream of changes instead of a list."),
    ];

    private static readonly ApiParameter[] Streams =
    [
        Container,
        new("stdin", "boolean", "Forwards standard input."),
        new("stdout", "boolean", "Forwards standard output."),
        new("stderr", "boolean", "Forwards standard error."),
        new("tty", "boolean", "Uses a terminal."),
    ];

    /// <summary>The parameters of a connection or of the log.</summary>
    public static IReadOnlyList<ApiParameter> OfSubresource(string name) => name switch
    {
        "exec" => [new("command", "string", "The program and its arguments, one parameter each."), .. Streams],
        "attach" => Streams,
        "portforward" => [new("ports", "integer", "The ports, for WebSocket.")],
        "proxy" => [new("path", "string", "The path of the request that is forwarded.")],
        "log" =>
        [
            Container,
            new("follow", "boolean", "Goes on with what is written later."),
            new("insecureSkipTLSVerifyBackend", "boolean", "Does not verify the certificate of the kubelet."),
            new("limitBytes", "integer", "The most bytes."),
            new("previous", "boolean", "The log of the container's previous run."),
            new("sinceSeconds", "integer", "Only what is not older than this many seconds."),
            new("sinceTime", "string", "Only what is not older than this time."),
            new("stream", "string", "All, Stdout or Stderr."),
            new("tailLines", "integer", "Only so many lines of the end."),
            new("timestamps", "boolean", "Begins each line with its time."),
        ],
        _ => None,
    };
}
