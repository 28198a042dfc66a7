using System.Text.Json.Nodes;
using Podhost.Api.Resources;
using Podhost.ApiServer.Authn;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Admission;

/// <summary>One write as admission plugins see it.</summary>
public sealed class AdmissionRequest
{
    private List<Action<bool>>? _completions;

    /// <summary>Create, Update, Delete or Connect.</summary>
    public required AdmissionOperation Operation { get; init; }

    /// <summary>Resource that is written.</summary>
    public required ResourceInfo Resource { get; init; }

    /// <summary>Subresource, empty where none.</summary>
    public string Subresource { get; init; } = "";

    /// <summary>Namespace, empty for cluster-scoped kinds.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>Object name; empty where a create leaves it to generateName.</summary>
    public string Name { get; init; } = "";

    /// <summary>The new object: of a create or update, the options of a connect, the body of a subresource create (Binding, Eviction, TokenRequest); null for a delete.</summary>
    public JsonObject? Object { get; init; }

    /// <summary>The object as it is stored; null for a create. Not to be changed.</summary>
    public JsonObject? OldObject { get; init; }

    /// <summary>The options of the request (CreateOptions, DeleteOptions, …) where it sent any.</summary>
    public JsonObject? Options { get; init; }

    /// <summary>Who asks.</summary>
    public required UserInfo User { get; init; }

    /// <summary>True where nothing will be persisted: plugins must have no lasting side effects then.</summary>
    public bool DryRun { get; init; }

    /// <summary>Objects of the server, to look up what the request refers to.</summary>
    public required IObjectReader Objects { get; init; }

    /// <summary>Text for the client's Warning headers.</summary>
    public ICollection<string> Warnings { get; init; } = [];

    /// <summary>True while the plugins see the request again, because a webhook changed the object.</summary>
    internal bool IsReinvocation { get; set; }

    /// <summary>Set where a webhook changed the object: the plugins before it have to see it again.</summary>
    internal bool NeedsReinvocation { get; set; }

    /// <summary>The webhooks that want to see the object again.</summary>
    internal IReadOnlyList<Webhooks.Webhook> WebhooksToReinvoke { get; set; } = [];

    /// <summary>Registers what to do when the outcome of the write is known (true: committed); for example to give an allocated address back.</summary>
    public void OnCompleted(Action<bool> completion) => (_completions ??= []).Add(completion);

    internal void Complete(bool committed)
    {
        foreach (var completion in _completions ?? [])
        {
            completion(committed);
        }

        _completions = null;
    }
}

/// <summary>Kind of a write.</summary>
public enum AdmissionOperation
{
    /// <summary>A new object, or a POST to a subresource.</summary>
    Create,

    /// <summary>A change, also through a subresource or a patch.</summary>
    Update,

    /// <summary>A deletion; for a collection, one request for the collection without a name and one an object.</summary>
    Delete,

    /// <summary>exec, attach, portforward, proxy.</summary>
    Connect,
}
