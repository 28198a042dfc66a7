using Podhost.Cri.V1;

namespace Podhost.Kubelet.Containers;

/// <summary>lifecycle.stopSignal as CRI names it.</summary>
internal static class StopSignals
{
    /// <exception cref="ContainerConfigException">No such signal.</exception>
    public static Signal Of(string? name)
    {
        if (string.IsNullOrEmpty(name))
        {
            return Signal.RuntimeDefault;
        }

        var text = name.Replace("RTMIN+", "RTMINPLUS", StringComparison.Ordinal).Replace("RTMAX-", "RTMAXMINUS", StringComparison.Ordinal);
        return Enum.TryParse<Signal>(text, ignoreCase: true, out var signal) && Enum.IsDefined(signal) && !char.IsAsciiDigit(text[0])
            ? signal
            : throw new ContainerConfigException(ContainerConfigReasons.CreateContainerConfigError, $"lifecycle.stopSignal \"{name}\" is not a signal");
    }
}
