using Podhost.Cel.Checking;
using Podhost.Cel.Types;
using Podhost.Cel.Values;

namespace Podhost.Cel.Functions;

internal sealed record AuthorizerValue(ICelAuthorizer Authorizer, (string Namespace, string Name)? ServiceAccount = null) : ILibraryValue
{
    public CelType Type => LibraryTypes.Authorizer;
}

internal sealed record PathCheckValue(AuthorizerValue Authorizer, string Path) : ILibraryValue
{
    public CelType Type => LibraryTypes.PathCheck;
}

internal sealed record GroupCheckValue(AuthorizerValue Authorizer, string Group) : ILibraryValue
{
    public CelType Type => LibraryTypes.GroupCheck;
}

internal sealed record ResourceCheckValue(AuthorizerValue Authorizer, CelAuthorizationQuery Query) : ILibraryValue
{
    public CelType Type => LibraryTypes.ResourceCheck;
}

internal sealed record DecisionValue(CelAuthorizationAnswer Answer) : ILibraryValue
{
    public CelType Type => LibraryTypes.Decision;
}

/// <summary>The authz library. Selectors of fields and labels do not narrow a check: the authorizer of this server does not look at them.</summary>
internal static class Authorization
{
    public static void AddTo(FunctionTable t)
    {
        t.Add("path", "authorizer_path", "Authorizer.(string) PathCheck",
            a => ((string)a[1]).Length == 0 ? new CelError("path must not be empty") : new PathCheckValue((AuthorizerValue)a[0], (string)a[1]));
        t.Add("group", "authorizer_group", "Authorizer.(string) GroupCheck", a => new GroupCheckValue((AuthorizerValue)a[0], (string)a[1]));
        t.Add("serviceAccount", "authorizer_serviceaccount", "Authorizer.(string, string) Authorizer",
            a => new AuthorizerValue(((AuthorizerValue)a[0]).Authorizer, ((string)a[1], (string)a[2])));
        t.Add("resource", "groupcheck_resource", "GroupCheck.(string) ResourceCheck", a => Resource((GroupCheckValue)a[0], (string)a[1]));
        t.Add("subresource", "resourcecheck_subresource", "ResourceCheck.(string) ResourceCheck", a => With(a, q => q with { Subresource = (string)a[1] }));
        t.Add("namespace", "resourcecheck_namespace", "ResourceCheck.(string) ResourceCheck", a => With(a, q => q with { Namespace = (string)a[1] }));
        t.Add("name", "resourcecheck_name", "ResourceCheck.(string) ResourceCheck", a => With(a, q => q with { Name = (string)a[1] }));
        t.Add("fieldSelector", "authorizer_fieldselector", "ResourceCheck.(string) ResourceCheck", a => a[0]);
        t.Add("labelSelector", "authorizer_labelselector", "ResourceCheck.(string) ResourceCheck", a => a[0]);
        t.Add("check", "pathcheck_check", "PathCheck.(string) Decision", a => Path((PathCheckValue)a[0], (string)a[1]));
        t.Add("check", "resourcecheck_check", "ResourceCheck.(string) Decision", a => Check((ResourceCheckValue)a[0], (string)a[1]));
        t.Add("allowed", "decision_allowed", "Decision.() bool", a => Boxes.Of(((DecisionValue)a[0]).Answer.Allowed));
        t.Add("reason", "decision_reason", "Decision.() string", a => ((DecisionValue)a[0]).Answer.Reason);
        t.Add("errored", "decision_errored", "Decision.() bool", a => Boxes.Of(((DecisionValue)a[0]).Answer.Error.Length > 0));
        t.Add("error", "decision_error", "Decision.() string", a => ((DecisionValue)a[0]).Answer.Error);
    }

    private static object Resource(GroupCheckValue group, string resource) => resource.Length == 0
        ? new CelError("resource must not be empty")
        : new ResourceCheckValue(group.Authorizer, new CelAuthorizationQuery(group.Authorizer.ServiceAccount, "", "") { Group = group.Group, Resource = resource });

    private static ResourceCheckValue With(object[] a, Func<CelAuthorizationQuery, CelAuthorizationQuery> change)
    {
        var check = (ResourceCheckValue)a[0];
        return check with { Query = change(check.Query) };
    }

    private static DecisionValue Path(PathCheckValue check, string verb) =>
        new(check.Authorizer.Authorizer.Check(new CelAuthorizationQuery(check.Authorizer.ServiceAccount, verb, check.Path)));

    private static DecisionValue Check(ResourceCheckValue check, string verb) =>
        new(check.Authorizer.Authorizer.Check(check.Query with { Verb = verb }));
}
