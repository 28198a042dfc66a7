namespace Podhost.Api.Validation.Pods;

/// <summary>Probes and lifecycle hooks of a container, with their handlers.</summary>
internal static class ProbeRules
{
    private static readonly string[] Handlers = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];
    private static readonly string[] Counts = ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"];

    public static void CheckAll(Field container, PodScope pod)
    {
        CheckLifecycle(container["lifecycle"], pod);
        foreach (var name in (string[])["livenessProbe", "readinessProbe", "startupProbe"])
        {
            if (container[name].IsSet)
            {
                CheckProbe(container[name], pod, readiness: name == "readinessProbe");
            }
        }
    }

    private static void CheckProbe(Field probe, PodScope pod, bool readiness)
    {
        CheckHandler(probe, pod);
        foreach (var count in Counts)
        {
            probe[count].NotNegative();
        }

        var grace = probe["terminationGracePeriodSeconds"];
        if (grace.IsSet && grace.Number <= 0)
        {
            grace.Invalid("must be greater than 0");
        }

        if (readiness && grace.IsSet)
        {
            grace.Invalid("must not be set for readinessProbes");
        }

        var successes = probe["successThreshold"];
        if (!readiness && successes.Number != 1)
        {
            successes.InvalidAs($"{successes.Number}", "must be 1");
        }
    }

    private static void CheckLifecycle(Field lifecycle, PodScope pod)
    {
        foreach (var hook in (string[])["postStart", "preStop"])
        {
            if (lifecycle[hook].IsSet)
            {
                CheckHandler(lifecycle[hook], pod);
            }
        }

        CheckStopSignal(lifecycle["stopSignal"], pod);
    }

    private static void CheckStopSignal(Field signal, PodScope pod)
    {
        if (!signal.IsSet)
        {
            return;
        }

        switch (pod.Os)
        {
            case "":
                signal.Forbidden("may not be set for containers with empty `spec.os.name`");
                break;
            case "windows":
                signal.OneOf("SIGKILL", "SIGTERM");
                break;
            default:
                signal.OneOf(StopSignals.Linux);
                break;
        }
    }

    private static void CheckHandler(Field owner, PodScope pod)
    {
        var count = 0;
        foreach (var name in Handlers)
        {
            var handler = owner[name];
            if (!handler.IsSet)
            {
                continue;
            }

            if (count++ > 0)
            {
                handler.Forbidden("may not specify more than 1 handler type");
            }
            else
            {
                CheckAction(name, handler, pod);
            }
        }

        if (count == 0)
        {
            owner.Required("must specify a handler type");
        }
    }

    private static void CheckAction(string name, Field action, PodScope pod)
    {
        switch (name)
        {
            case "exec":
                if (action["command"].Count == 0)
                {
                    action["command"].Required();
                }

                break;
            case "httpGet":
                CheckHttpGet(action);
                break;
            case "sleep":
                var seconds = action["seconds"].Number;
                if (pod.Grace is { } grace && (seconds < 0 || seconds > grace))
                {
                    action.InvalidAs($"{seconds}", $"must be non-negative and less than terminationGracePeriodSeconds ({grace})");
                }

                break;
            default:
                PortRules.CheckNumberOrName(action["port"]);
                break;
        }
    }

    private static void CheckHttpGet(Field action)
    {
        if (action["path"].Text.Length == 0)
        {
            action["path"].Required();
        }

        PortRules.CheckNumberOrName(action["port"]);
        action["scheme"].OneOf("HTTP", "HTTPS");
        foreach (var header in action["httpHeaders"].Items)
        {
            action["httpHeaders"].Check(header["name"].Text, Names.HttpHeader);
        }
    }
}
