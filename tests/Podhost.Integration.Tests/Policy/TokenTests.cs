using System.Text.Json.Nodes;
using Podhost.Integration.Tests.Instances;

namespace Podhost.Integration.Tests.Policy;

/// <summary>Who a bearer token is.</summary>
public sealed class TokenTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task A_secret_of_a_service_account_is_filled_in_and_goes_with_the_account()
    {
        await K.OkAsync("create serviceaccount robot");
        await K.ApplyAsync("""
            apiVersion: v1
            kind: Secret
            metadata: {name: robot-token, annotations: {kubernetes.io/service-account.name: robot}}
            type: kubernetes.io/service-account-token
            """);
        (await K.RunAsync("wait secret/robot-token --timeout=30s", "--for=jsonpath={.data.token}")).Ok();
        var secret = await K.JsonAsync("get secret robot-token");
        Assert.Equal((string?)(await K.JsonAsync("get serviceaccount robot"))["metadata"]!["uid"], (string?)secret["metadata"]!["annotations"]!["kubernetes.io/service-account.uid"]);
        Assert.Equal("token-tests", Text(secret, "namespace"));
        Assert.Equal((string?)(await K.JsonAsync("get configmap kube-root-ca.crt"))["data"]!["ca.crt"], Text(secret, "ca.crt"));
        var user = await WhoAmIAsync(Cluster, Text(secret, "token"));
        Assert.Equal("system:serviceaccount:token-tests:robot", (string?)user["username"]);
        await K.OkAsync("patch serviceaccount robot -p", """{"secrets":[{"name":"robot-token"},{"name":"other"}]}""");
        await K.OkAsync("delete secret robot-token");
        (await K.RunAsync("wait serviceaccount/robot --timeout=30s", "--for=jsonpath={.secrets[*].name}=other")).Ok();

        await K.ApplyAsync("""
            apiVersion: v1
            kind: Secret
            metadata: {name: robot-again, annotations: {kubernetes.io/service-account.name: robot}}
            type: kubernetes.io/service-account-token
            ---
            apiVersion: v1
            kind: Secret
            metadata: {name: of-nobody, annotations: {kubernetes.io/service-account.name: nobody}}
            type: kubernetes.io/service-account-token
            """);
        (await K.RunAsync("wait secret/of-nobody --timeout=30s --for=delete")).Ok();
        (await K.RunAsync("wait secret/robot-again --timeout=30s", "--for=jsonpath={.data.token}")).Ok();
        await K.OkAsync("delete serviceaccount robot");
        (await K.RunAsync("wait secret/robot-again --timeout=30s --for=delete")).Ok();
    }

    [Fact]
    public async Task A_file_of_tokens_says_whose_they_are()
    {
        await using var instance = await Instance.StartCommandAsync(i => ["up", "--token-auth-file", Tokens(i)]);
        var user = await WhoAmIAsync(instance, "sesame");
        Assert.Equal("ann", (string?)user["username"]);
        Assert.Equal("u-1", (string?)user["uid"]);
        Assert.Equal(["dev", "ops", "system:authenticated"], user["groups"]!.AsArray().Select(g => (string?)g));
        var review = """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"sesame"}}""";
        var reviewed = (await instance.Kubectl.RunAsync(["create", "--validate=false", "-f", "-", "-o", "jsonpath={.status.user.username}"], review)).Ok();
        Assert.Equal("ann", reviewed);
    }

    private static string Tokens(Instance instance)
    {
        var path = Path.Combine(instance.Root, "tokens.csv");
        File.WriteAllText(path, "sesame,ann,u-1,\"dev,ops\"\n");
        return path;
    }

    private static string Text(JsonNode secret, string key) => System.Text.Encoding.UTF8.GetString(Convert.FromBase64String((string)secret["data"]![key]!));

    // Without the administrator's certificate, which would go first.
    private static async Task<JsonNode> WhoAmIAsync(Instance instance, string token)
    {
        var answer = await Shell.RunAsync(
            "kubectl",
            ["--kubeconfig", "/dev/null", "--server", $"https://127.0.0.1:{instance.SecurePort}", "--insecure-skip-tls-verify", "--token", token, "auth", "whoami", "-o", "json"]);
        return JsonNode.Parse(answer.Ok())!["status"]!["userInfo"]!;
    }
}
