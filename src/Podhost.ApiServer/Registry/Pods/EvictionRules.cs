using System.Globalization;
using System.Text.Json.Nodes;
using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Api.Selectors;

namespace Podhost.ApiServer.Registry.Pods;

/// <summary>What PodDisruptionBudgets let evictions do. Pure. Source: upstream's registry/core/pod/storage/eviction.go.</summary>
internal static class EvictionRules
{
    private const string Refusal = "Cannot evict pod as it would violate the pod's disruption budget.";

    // Above this the controller no longer keeps up.
    private const int MaxDisruptedPods = 2000;

    /// <summary>True for a pod whose leaving disrupts nothing: it does not run (yet), or is on its way out.</summary>
    public static bool IgnoresBudgets(JsonObject pod) =>
        Meta.IsDeleting(pod) || Meta.Text(Meta.At(pod, "status", "phase")) is "Succeeded" or "Failed" or "Pending";

    /// <summary>True where the pod is ready.</summary>
    public static bool IsReady(JsonObject pod) => Condition(pod, "Ready") is { } ready && Meta.Text(ready["status"]) == "True";

    /// <summary>The budget of a pod, or null.</summary>
    /// <exception cref="ApiException">500: there is more than one.</exception>
    public static JsonObject? BudgetOf(JsonObject pod, IEnumerable<JsonObject> budgets)
    {
        if (Meta.At(pod, "metadata", "labels") is not JsonObject { Count: > 0 } labels)
        {
            return null;
        }

        var found = budgets.Where(b => Meta.At(b, "spec", "selector") is JsonObject selector && LabelSelector.FromObject(selector).Matches(labels)).ToList();
        return found.Count <= 1
            ? found.FirstOrDefault()
            : throw ApiException.Make(500, "", "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.");
    }

    /// <summary>True where a pod that is not ready may go and the budget is not charged.</summary>
    public static bool LetsUnreadyGo(JsonObject budget) =>
        Meta.Text(Meta.At(budget, "spec", "unhealthyPodEvictionPolicy")) == "AlwaysAllow"
        || (Count(budget, "desiredHealthy") > 0 && Count(budget, "currentHealthy") >= Count(budget, "desiredHealthy"));

    /// <summary>The budget with one disruption less, which waits for the controller to see that the pod goes.</summary>
    /// <exception cref="ApiException">429: it allows none now. 403: its status cannot be right.</exception>
    public static JsonObject Charge(JsonObject budget, string podName, DateTimeOffset now)
    {
        Check(budget);
        var charged = (JsonObject)budget.DeepClone();
        var status = Meta.Child(charged, "status");
        var left = Count(budget, "disruptionsAllowed") - 1;
        status["disruptionsAllowed"] = left;
        Meta.Child(status, "disruptedPods")[podName] = Meta.Time(now);
        if (left == 0 && Condition(charged, "DisruptionAllowed") is { } condition)
        {
            if (Meta.Text(condition["status"]) != "False")
            {
                condition["lastTransitionTime"] = Meta.Time(now);
            }

            condition["status"] = "False";
            condition["reason"] = "InsufficientPods";
        }

        return charged;
    }

    private static void Check(JsonObject budget)
    {
        var (name, allowed) = (Meta.Name(budget), Count(budget, "disruptionsAllowed"));
        if (Count(budget, "observedGeneration") < Meta.Generation(budget))
        {
            throw TooMany($"The disruption budget {name} is still being processed by the server.", 10);
        }

        if (allowed < 0)
        {
            throw ApiException.Forbidden("policy", "poddisruptionbudgets", name, "pdb disruptions allowed is negative");
        }

        if (Meta.At(budget, "status", "disruptedPods") is JsonObject { Count: > MaxDisruptedPods })
        {
            throw ApiException.Forbidden("policy", "poddisruptionbudgets", name, "DisruptedPods map too big - too many evictions not confirmed by PDB controller");
        }

        if (allowed == 0)
        {
            var condition = Condition(budget, "DisruptionAllowed");
            throw TooMany(Meta.Text(condition?["reason"]) == "SyncFailed"
                ? $"The disruption budget {name} does not allow evicting pods currently because it failed sync: {Meta.Text(condition?["message"])}"
                : $"The disruption budget {name} needs {Count(budget, "desiredHealthy")} healthy pods and has {Count(budget, "currentHealthy")} currently", 0);
        }
    }

    // Without a time to wait, clients decide for themselves when to try again, as upstream has it.
    private static ApiException TooMany(string cause, int retryAfterSeconds)
    {
        var refusal = ApiException.TooManyRequests(Refusal, retryAfterSeconds);
        refusal.Status.Details = new V1StatusDetails
        {
            RetryAfterSeconds = retryAfterSeconds == 0 ? null : retryAfterSeconds,
            Causes = [new V1StatusCause { Reason = "DisruptionBudget", Message = cause }],
        };
        return refusal;
    }

    private static JsonObject? Condition(JsonObject obj, string type) =>
        (Meta.At(obj, "status", "conditions") as JsonArray ?? []).OfType<JsonObject>().FirstOrDefault(c => Meta.Text(c["type"]) == type);

    private static long Count(JsonObject budget, string field) =>
        Meta.At(budget, "status", field) is { } n && long.TryParse(n.ToString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var count) ? count : 0;
}
