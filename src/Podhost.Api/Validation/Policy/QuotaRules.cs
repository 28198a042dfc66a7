using System.Text.Json.Nodes;
using Podhost.Api.Quantities;
using Podhost.Api.Validation.Metadata;
using Podhost.Api.Validation.Pods;

namespace Podhost.Api.Validation.Policy;

/// <summary>ResourceQuotas. Source: upstream's ValidateResourceQuota.</summary>
internal static class QuotaRules
{
    private const string Unsupported = "unsupported scope applied to resource";
    private const string VolumeClass = "VolumeAttributesClass";
    private static readonly string[] Scopes =
        ["BestEffort", "CrossNamespacePodAffinity", "NotBestEffort", "NotTerminating", "PriorityClass", "Terminating", VolumeClass];
    private static readonly string[] OfClaims = ["persistentvolumeclaims", "requests.storage"];
    private static readonly string[] Compute = ["cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"];
    private static readonly string[] Counted =
    [
        "configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas", "secrets", "services", "services.loadbalancers", "services.nodeports",
    ];

    public static void Create(Field quota)
    {
        ObjectMetaRules.CheckCreate(quota["metadata"], namespaced: true, Names.DnsSubdomain);
        CheckAmounts(quota["spec"]["hard"]);
        CheckScopes(quota["spec"]);
        CheckSelector(quota["spec"]["scopeSelector"], quota["spec"]);
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
        amount.Check(name, ResourceRules.QuotaName);
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

        CheckConflicts(asked, scopes);
    }

    private static void CheckConflicts(List<string> asked, Field at)
    {
        if ((asked.Contains("BestEffort") && asked.Contains("NotBestEffort")) || (asked.Contains("Terminating") && asked.Contains("NotTerminating")))
        {
            at.Invalid("conflicting scopes");
        }
    }

    private static void CheckSelector(Field selector, Field spec)
    {
        var expressions = selector["matchExpressions"];
        foreach (var expression in expressions.Items)
        {
            CheckExpression(expression, expressions, spec["hard"]);
        }

        CheckConflicts([.. expressions.Items.Select(e => e["scopeName"].Text)], expressions.With(spec["scopes"].Node));
    }

    // As upstream, the path of a fault does not tell which expression it is of.
    private static void CheckExpression(Field expression, Field expressions, Field hard)
    {
        Field At(string name) => expressions.Child(name, expression[name].Node);
        var (scope, op, values) = (At("scopeName"), At("operator"), At("values"));
        if (!Scopes.Contains(scope.Text))
        {
            scope.Invalid("unsupported scope");
        }

        foreach (var _ in Unfit(scope.Text, hard))
        {
            expressions.InvalidAs(Internal(expressions), Unsupported);
        }

        if (scope.Text is not ("PriorityClass" or VolumeClass) && Scopes.Contains(scope.Text) && op.Text != "Exists")
        {
            op.Invalid("must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, "
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

    // As upstream prints the selector: by the names of its Go fields.
    private static string Internal(Field expressions) => new JsonObject
    {
        ["MatchExpressions"] = new JsonArray([.. expressions.Items.Select(e => (JsonNode)new JsonObject
        {
            ["ScopeName"] = e["scopeName"].Text,
            ["Operator"] = e["operator"].Text,
            ["Values"] = e["values"].Node?.DeepClone(),
        })]),
    }.ToJsonString();

    // The standard resources that a scope has nothing to say about.
    private static IEnumerable<string> Unfit(string scope, Field hard) =>
        hard.Entries.Select(e => e.Key).Where(ResourceRules.IsStandard).Where(name => scope == VolumeClass
            ? !OfClaims.Contains(name)
            : name != "pods" && (scope == "BestEffort" || !Compute.Contains(name)));
}
