using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Extensions;

/// <summary>Configurations of admission webhooks. Source: pkg/apis/admissionregistration/validation.</summary>
internal static class WebhookRules
{
    private const int LongestTimeout = 30;

    public static void Check(Field configuration)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var hook in configuration["webhooks"].Items)
        {
            if (!seen.Add(hook["name"].Text))
            {
                hook["name"].Duplicate();
            }

            CheckHook(hook);
        }
    }

    public static void Create(Field configuration)
    {
        ObjectMetaRules.CheckCreate(configuration["metadata"], namespaced: false, Names.DnsSubdomain, isExtension: true);
        Check(configuration);
    }

    public static void Update(Field configuration, Field old)
    {
        ObjectMetaRules.CheckUpdate(configuration["metadata"], old["metadata"], isExtension: true);
        Check(configuration);
    }

    private static void CheckHook(Field hook)
    {
        CheckName(hook["name"]);
        foreach (var rule in hook["rules"].Items)
        {
            CheckRule(rule);
        }

        hook["failurePolicy"].OneOf("Fail", "Ignore");
        hook["matchPolicy"].OneOf("Equivalent", "Exact");
        hook["reinvocationPolicy"].OneOf("IfNeeded", "Never");
        hook["sideEffects"].RequiredOneOf("None", "NoneOnDryRun");
        if (hook["timeoutSeconds"].IsSet && hook["timeoutSeconds"].Number is < 1 or > LongestTimeout)
        {
            hook["timeoutSeconds"].Invalid($"the timeout value must be between 1 and {LongestTimeout} seconds");
        }

        SelectorRules.Check(hook["namespaceSelector"]);
        SelectorRules.Check(hook["objectSelector"]);
        CheckClient(hook["clientConfig"]);
        CheckVersions(hook["admissionReviewVersions"]);
        foreach (var condition in hook["matchConditions"].Items)
        {
            condition["expression"].Forbidden(
                $"expressions of the Common Expression Language are not evaluated by this server, so the condition {Field.Printed(condition["expression"].Node)} would not be kept");
        }
    }

    private static void CheckName(Field name)
    {
        if (name.Text.Length == 0)
        {
            name.Required();
            return;
        }

        name.Check(Names.DnsSubdomain);
        if (name.Text.Split('.').Length < 3)
        {
            name.Invalid("should be a domain with at least three segments separated by dots");
        }
    }

    private static void CheckRule(Field rule)
    {
        CheckList(rule["operations"], "operations");
        foreach (var operation in rule["operations"].Items)
        {
            operation.OneOf("*", "CONNECT", "CREATE", "DELETE", "UPDATE");
        }

        CheckList(rule["apiGroups"], "API groups");
        CheckList(rule["apiVersions"], "API versions");
        foreach (var version in rule["apiVersions"].Items.Where(v => v.Text.Length == 0))
        {
            version.Required();
        }

        var resources = rule["resources"];
        if (resources.Count == 0)
        {
            resources.Required();
        }

        foreach (var resource in resources.Items.Where(r => r.Text.Length == 0))
        {
            resource.Required();
        }

        CheckResources(resources);
        rule["scope"].OneOf("*", "Cluster", "Namespaced");
    }

    // "*" says everything: what else stands beside it would mislead.
    private static void CheckList(Field list, string what)
    {
        if (list.Count == 0)
        {
            list.Required();
        }
        else if (list.Count > 1 && list.Items.Any(i => i.Text == "*"))
        {
            list.Invalid("if '*' is present, must not specify other " + what);
        }
    }

    private static void CheckResources(Field resources)
    {
        var all = resources.Items.Select(r => r.Text).ToList();
        if (all.Contains("*/*") && all.Count > 1)
        {
            resources.Invalid("if '*/*' is present, must not specify other resources");
        }

        foreach (var resource in resources.Items.Where(r => r.Text is not ("*" or "*/*")))
        {
            var (name, sub) = resource.Text.Split('/', 2) is [var n, var s] ? (n, s) : (resource.Text, "");
            if (sub.Length > 0 && sub != "*" && all.Contains($"{name}/*"))
            {
                resource.Invalid($"if '{name}/*' is present, must not specify {resource.Text}");
            }

            if (sub.Length == 0 && all.Contains("*"))
            {
                resource.Invalid("if '*' is present, must not specify other resources without subresources");
            }
        }
    }

    /// <summary>Where a webhook is called: exactly one of an address and a service.</summary>
    public static void CheckClient(Field client)
    {
        if (client["url"].IsSet == client["service"].IsSet)
        {
            client.Required("exactly one of url or service is required");
        }
        else if (client["url"].IsSet)
        {
            CheckUrl(client["url"]);
        }
        else
        {
            CheckService(client["service"]);
        }
    }

    private static void CheckUrl(Field url)
    {
        const string form = "; desired format: https://host[/path]";
        if (!Uri.TryCreate(url.Text, UriKind.Absolute, out var parsed))
        {
            url.Required($"url must be a valid URL{form}");
            return;
        }

        if (parsed.Scheme != "https")
        {
            url.Invalid($"'https' is the only allowed URL scheme{form}");
        }

        if (parsed.Host.Length == 0)
        {
            url.Invalid($"host must be specified{form}");
        }

        if (parsed.UserInfo.Length > 0)
        {
            url.Invalid("user information is not permitted in the URL");
        }

        if (parsed.Fragment.Length > 0)
        {
            url.Invalid("fragments are not permitted in the URL");
        }

        if (parsed.Query.Length > 0)
        {
            url.Invalid("query parameters are not permitted in the URL");
        }
    }

    private static void CheckService(Field service)
    {
        if (service["name"].Text.Length == 0)
        {
            service["name"].Required("service name is required");
        }

        if (service["namespace"].Text.Length == 0)
        {
            service["namespace"].Required("service namespace is required");
        }

        if (service["port"].IsSet && service["port"].Number is < 1 or > 65535)
        {
            service["port"].Invalid("port is not valid: must be between 1 and 65535, inclusive");
        }

        if (service["path"].Text.Length > 0 && !service["path"].Text.StartsWith('/'))
        {
            service["path"].Invalid("must start with a '/'");
        }
    }

    /// <summary>The versions of reviews that a webhook understands.</summary>
    public static void CheckVersions(Field versions)
    {
        if (versions.Count == 0)
        {
            versions.Required("must specify one of v1, v1beta1");
        }
        else if (versions.Items.All(v => v.Text is not ("v1" or "v1beta1")))
        {
            versions.Invalid("must include at least one of v1, v1beta1");
        }
    }
}
