using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Pods;

/// <summary>Changes of status: what ended for good stays ended, addresses are addresses.</summary>
internal static class PodStatusRules
{
    public static void Check(Field pod, Field old)
    {
        ObjectMetaRules.CheckUpdate(pod["metadata"], old["metadata"]);
        PodUpdateRules.CheckMirror(pod, old);
        var (status, oldStatus) = (pod["status"], old["status"]);
        foreach (var condition in status["conditions"].Items)
        {
            condition["type"].Check(Names.Qualified);
        }

        if (pod["spec"]["nodeName"].Text != old["spec"]["nodeName"].Text)
        {
            status["nodeName"].Forbidden("may not be changed directly");
        }

        if (status["nominatedNodeName"].Text != oldStatus["nominatedNodeName"].Text)
        {
            status["nominatedNodeName"].CheckIfSet(Names.DnsSubdomain);
        }

        if (oldStatus["qosClass"].IsSet)
        {
            status["qosClass"].Unchanged(oldStatus["qosClass"].Node);
        }

        CheckTransitions(status, oldStatus, old["spec"]);
        CheckAddresses(status["podIPs"]);
        CheckHostAddresses(status);
    }

    private static void CheckTransitions(Field status, Field old, Field spec)
    {
        var policy = MayRestartAll(spec) ? "Always" : spec["restartPolicy"].Text;
        CheckTransition(status["containerStatuses"], old["containerStatuses"], spec["containers"], policy);
        CheckTransition(status["initContainerStatuses"], old["initContainerStatuses"], spec["initContainers"], policy);
        CheckTransition(status["ephemeralContainerStatuses"], old["ephemeralContainerStatuses"], spec["ephemeralContainers"], "Never");
    }

    private static void CheckTransition(Field statuses, Field old, Field containers, string podPolicy)
    {
        var policies = containers.Items.ToLookup(c => c["name"].Text, c => c, StringComparer.Ordinal);
        for (var i = 0; i < old.Count; i++)
        {
            var (name, terminated) = (old.At(i)["name"].Text, old.At(i)["state"]["terminated"]);
            if (!terminated.IsSet || MayRestart(policies[name].FirstOrDefault(), podPolicy, terminated["exitCode"].Number))
            {
                continue;
            }

            if (statuses.Items.Any(s => s["name"].Text == name && !s["state"]["terminated"].IsSet))
            {
                statuses.At(i)["state"].Forbidden("may not be transitioned to non-terminated state");
            }
        }
    }

    /// <summary>With a rule that restarts all containers each of them may come back, whatever its own policy says.</summary>
    private static bool MayRestartAll(Field spec) =>
        spec["initContainers"].Items.Concat(spec["containers"].Items)
            .Any(c => c["restartPolicyRules"].Items.Any(r => r["action"].Text == "RestartAllContainers"));

    private static bool MayRestart(Field? container, string podPolicy, long exitCode)
    {
        if (podPolicy == "Always" || (container is not null && container["restartPolicyRules"].Count > 0))
        {
            return true;
        }

        var policy = container?["restartPolicy"].Text is { Length: > 0 } own ? own : podPolicy;
        return policy == "Always" || (policy == "OnFailure" && exitCode != 0);
    }

    private static void CheckHostAddresses(Field status)
    {
        var addresses = status["hostIPs"];
        if (addresses.Count == 0)
        {
            return;
        }

        if (addresses.At(0)["ip"].Text != status["hostIP"].Text)
        {
            addresses.At(0)["ip"].Invalid("must be equal to `hostIP`");
        }

        CheckAddresses(addresses);
    }

    private static void CheckAddresses(Field addresses)
    {
        var families = new HashSet<bool>();
        foreach (var address in addresses.Items)
        {
            address.Check(address["ip"].Text, Names.Ip);
            if (!families.Add(address["ip"].Text.Contains(':', StringComparison.Ordinal)))
            {
                addresses.Invalid("may specify no more than one IP for each IP family");
            }
        }
    }
}
