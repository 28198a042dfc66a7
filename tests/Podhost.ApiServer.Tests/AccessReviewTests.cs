using Podhost.ApiServer.Authz;
using Podhost.ApiServer.Tests.Support;

namespace Podhost.ApiServer.Tests;

/// <summary>Reviews of access that do not say what to review are invalid, as upstream words it.</summary>
public sealed class AccessReviewTests
{
    private const string None = "spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified";
    private const string Nobody = "spec.user: Invalid value: \"\": at least one of user or group must be specified";

    [Theory]
    [InlineData("selfsubjectaccessreviews", "{}", None)]
    [InlineData("subjectaccessreviews", "{}", None)]
    [InlineData("subjectaccessreviews", """{"resourceAttributes":{"verb":"get"}}""", Nobody)]
    [InlineData(
        "subjectaccessreviews", """{"user":"u","resourceAttributes":{"verb":"get"},"nonResourceAttributes":{"path":"/","verb":"get"}}""",
        "spec.nonResourceAttributes: Invalid value: {\"path\":\"/\",\"verb\":\"get\"}: cannot be specified in combination with resourceAttributes")]
    [InlineData(
        "namespaces/default/localsubjectaccessreviews", """{"user":"u","resourceAttributes":{"namespace":"other","verb":"get"}}""",
        "spec.resourceAttributes.namespace: Invalid value: \"other\": must match metadata.namespace")]
    public async Task A_review_of_nothing_or_of_nobody_is_invalid(string resource, string spec, string message)
    {
        await using var cluster = await StartAsync();
        var answer = await cluster.PostAsync("/apis/authorization.k8s.io/v1/" + resource, $$"""{"spec":{{spec}}}""");
        Assert.Equal((422, "Invalid"), (answer.Code, answer.Reason));
        Assert.Contains(message, answer.Message, StringComparison.Ordinal);
    }

    private static Task<Cluster> StartAsync() => Cluster.StartAsync(dependencies: d => d with
    {
        ReviewHandlers = (objects, authorizer, _) => [new AccessReviewHandler(authorizer, new RbacAuthorizer(objects), d.Time)],
    });
}
