using Podhost.Api.Quantities;
using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Policy;

/// <summary>ResourceQuotas. Source: upstream's ValidateResourceQuota.</summary>
internal static class QuotaRules
{
    private const string Unsupported = "unsupported scope applied to resource";
    private static readonly string[] Scopes = ["BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating"];
    private static readonly string[] Compute = ["cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"];
    private static readonly string[] Storage =
        ["ephemeral-storage", "limits.ephemeral-storage", "requests.ephemeral-storage", "requests.storage"];

    private static readonly string[] Counted =
    [
        "configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas", "secrets", "services", "services.loadbalancers", "services.nodeports",
    ];

    public static void Create(Field quota)
    {
        ObjectMetaRules.CheckCreate(quota["metadata"], namespaced: true, Names.DnsSubdomain);
        CheckAmounts(quota["spec"]["hard"]);
        CheckScopes(quota["spec"]);
        foreach (var expression in quota["spec"]["scopeSelector"]["matchExpressions"].Items)
        {
            CheckExpression(expression, quota["spec"]["hard"]);
        }
    }

    public static void Update(Field quota, Field old, string subresource)
    {
        ObjectMetaRules.CheckUpdate(quota["metadata"], old["metadata"]);
        if (subresource == "status")
        {
            CheckAmounts(quota["status"]["hard"]);
            CheckAmounts(quota["status"]["used"]);
            return;
        }

        Create(quota);
        quota["spec"]["scopes"].Unchanged(old["spec"]["scopes"].Node);
    }

    private static void CheckAmounts(Field hard)
    {
        foreach (var (name, _) in hard.Entries)
        {
            CheckAmount(name, hard.Key(name));
        }
    }

    private static void CheckAmount(string name, Field amount)
    {
        var faults = Names.Qualified(name).ToList();
        if (faults.Count == 0 && !name.Contains('/', StringComparison.Ordinal) && !IsStandard(name))
        {
            faults.Add("must be a standard resource for quota");
        }

        foreach (var fault in faults)
        {
            amount.InvalidText(name, fault);
        }

        var value = amount.Amount;
        if (value < default(Quantity))
        {
            amount.InvalidText(value.ToString(), "must be greater than or equal to 0");
        }

        if (Counted.Contains(name) && Quantity.FromValue(value.DivideRoundingUp(Quantity.FromValue(1))) != value)
        {
            amount.InvalidText(value.ToString(), "must be an integer");
        }
    }

    private static void CheckScopes(Field spec)
    {
        var (scopes, asked) = (spec["scopes"], spec["scopes"].Items.Select(s => s.Text).ToList());
        foreach (var scope in asked)
        {
            if (!Scopes.Contains(scope))
            {
                scopes.Invalid("unsupported scope");
            }

            foreach (var _ in Unfit(scope, spec["hard"]))
            {
                scopes.Invalid(Unsupported);
            }
        }

        if ((asked.Contains("BestEffort") && asked.Contains("NotBestEffort")) || (asked.Contains("Terminating") && asked.Contains("NotTerminating")))
        {
            scopes.Invalid("conflicting scopes");
        }
    }

    private static void CheckExpression(Field expression, Field hard)
    {
        var (scope, op, values) = (expression["scopeName"], expression["operator"], expression["values"]);
        if (!Scopes.Contains(scope.Text))
        {
            scope.Invalid("unsupported scope");
        }

        foreach (var _ in Unfit(scope.Text, hard))
        {
            scope.Invalid(Unsupported);
        }

        if (scope.Text != "PriorityClass" && op.Text != "Exists")
        {
            op.Invalid("must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
                + "ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity");
        }

        switch (op.Text)
        {
            case "In" or "NotIn" when values.Count == 0:
                values.Required("must be at least one value when `operator` is 'In' or 'NotIn' for scope selector");
                break;
            case "Exists" or "DoesNotExist" when values.Count > 0:
                values.Invalid("must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector");
                break;
            case not ("In" or "NotIn" or "Exists" or "DoesNotExist"):
                op.Invalid("not a valid selector operator");
                break;
        }
    }

    // The standard resources that a scope has nothing to say about.
    private static IEnumerable<string> Unfit(string scope, Field hard) =>
        hard.Entries.Select(e => e.Key).Where(IsStandard).Where(name => name != "pods" && (scope == "BestEffort" || !Compute.Contains(name)));

    private static bool IsStandard(string name) => Compute.Contains(name) || Storage.Contains(name) || Counted.Contains(name)
        || name.StartsWith("hugepages-", StringComparison.Ordinal) || name.StartsWith("requests.hugepages-", StringComparison.Ordinal);
}
