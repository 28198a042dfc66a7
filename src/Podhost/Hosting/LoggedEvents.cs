using k8s.Models;
using Microsoft.Extensions.Logging;
using Podhost.Kubelet.Events;

namespace Podhost.Hosting;

/// <summary>Events of a node without an API server: lines of its log.</summary>
internal sealed partial class LoggedEvents(ILogger<LoggedEvents> log) : IEventRecorder
{
    public void Record(V1ObjectReference about, string type, string reason, string message, IReadOnlyDictionary<string, string>? annotations = null) =>
        LogEvent(about.Kind, about.NamespaceProperty, about.Name, type, reason, message);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Type} {Reason} {Kind} {Namespace}/{Name}: {Text}")]
    private partial void LogEvent(string? kind, string? @namespace, string? name, string type, string reason, string text);
}
