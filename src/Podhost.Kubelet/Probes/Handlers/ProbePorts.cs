using System.Globalization;
using k8s.Models;

namespace Podhost.Kubelet.Probes.Handlers;

/// <summary>Ports of probes and hooks: a number, or the name of one of the container's ports.</summary>
internal static class ProbePorts
{
    /// <summary>The port, or null with the reason as upstream phrases it.</summary>
    public static int? Resolve(IntOrString port, V1Container container, out string error)
    {
        ArgumentNullException.ThrowIfNull(port);
        var text = port.Value;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && container.Ports?.FirstOrDefault(p => p.Name == text) is { } named)
        {
            number = named.ContainerPort;
        }
        else if (number == 0 && text != "0")
        {
            error = $"strconv.Atoi: parsing \"{text}\": invalid syntax";
            return null;
        }

        error = number is > 0 and < 65536 ? "" : string.Create(CultureInfo.InvariantCulture, $"invalid port number: {number}");
        return error.Length == 0 ? number : null;
    }
}
