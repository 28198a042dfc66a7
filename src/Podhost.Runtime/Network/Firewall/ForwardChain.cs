namespace Podhost.Runtime.Network.Firewall;

/// <summary>
/// What the pods' bridge needs of a firewall that is kept with iptables. Docker, for one, sets the policy of FORWARD to DROP for the whole
/// machine, and an accept in a table of our own does not overrule a drop in another one: the accept must stand in that chain. It stands at
/// its end: the rules of the machine's owner come first, only the policy does not reach the pods.
/// </summary>
internal static class ForwardChain
{
    /// <summary>The instance's own chain: at most 28 characters are allowed, a device's name has at most 15.</summary>
    /// <param name="bridge">The bridge.</param>
    internal static string Name(string bridge) => "PODHOST-" + bridge;

    /// <summary>Arguments of iptables that ask whether FORWARD leads to the chain.</summary>
    /// <param name="bridge">The bridge.</param>
    internal static string[] Check(string bridge) => ["-w", "5", "-C", "FORWARD", "-j", Name(bridge)];

    /// <summary>
    /// Input of <c>iptables-restore --noflush</c>: one transaction that makes or refills the chain and, where nothing leads to it, leads to it
    /// after all other rules.
    /// </summary>
    /// <param name="bridge">The bridge.</param>
    /// <param name="isLinked">FORWARD leads to it.</param>
    internal static string Open(string bridge, bool isLinked)
    {
        var name = Name(bridge);
        return string.Join('\n', [
            "*filter",
            $":{name} - [0:0]",
            .. isLinked ? (string[])[] : [$"-A FORWARD -j {name}"],
            $"-A {name} -i {bridge} -j ACCEPT",
            $"-A {name} -o {bridge} -j ACCEPT",
            "COMMIT",
            "",
        ]);
    }

    /// <summary>The same for the end: only where <see cref="Check"/> found it.</summary>
    /// <param name="bridge">The bridge.</param>
    internal static string Close(string bridge)
    {
        var name = Name(bridge);
        return $"*filter\n:{name} - [0:0]\n-D FORWARD -j {name}\n-X {name}\nCOMMIT\n";
    }
}
