using System.Text.Json.Nodes;

namespace Podhost.Api.Defaulting;

/// <summary>Defaults of role bindings: API groups of the role and of users and groups.</summary>
internal static class RbacDefaults
{
    private const string Group = "rbac.authorization.k8s.io";

    public static void ApplyToBinding(JsonObject binding)
    {
        if (Defaults.Child(binding, "roleRef") is { } role)
        {
            Defaults.SetText(role, "apiGroup", Group);
        }

        foreach (var subject in Defaults.Items(binding, "subjects"))
        {
            if (Defaults.Text(subject, "kind") is "User" or "Group")
            {
                Defaults.SetText(subject, "apiGroup", Group);
            }
        }
    }
}
