using k8s.Models;
using Podhost.Api.Errors;
using Podhost.ApiServer.Proxying;

namespace Podhost.ApiServer.Tests.Proxying;

public class ProxyTargetTests
{
    [Theory]
    [InlineData("web", "", "web", "")]
    [InlineData("web:8080", "", "web", "8080")]
    [InlineData("web:http", "", "web", "http")]
    [InlineData("https:web:", "https", "web", "")]
    [InlineData("https:web:8443", "https", "web", "8443")]
    [InlineData(":web:8443", "", "web", "8443")]
    public void A_name_may_have_a_scheme_and_a_port(string text, string scheme, string name, string port) =>
        Assert.Equal(new ProxyName(scheme, name, port), ProxyName.Parse("pod", text));

    [Theory]
    [InlineData("ftp:web:21")]
    [InlineData("a:b:c:d")]
    [InlineData(":80")]
    [InlineData("https::80")]
    public void Other_forms_are_refused(string text) =>
        Assert.Equal($"invalid pod request \"{text}\"", Assert.Throws<ApiException>(() => ProxyName.Parse("pod", text)).Message);

    [Fact]
    public void A_pod_is_asked_on_the_named_port_or_its_first()
    {
        Assert.Equal("http://10.1.2.3:8080/", Pod("10.1.2.3", 8080, 9090, "web"));
        Assert.Equal("http://10.1.2.3:9090/", Pod("10.1.2.3", 8080, 9090, "web:9090"));
        Assert.Equal("https://10.1.2.3:8443/", Pod("10.1.2.3", 8080, 9090, "https:web:8443"));
        Assert.Equal("http://10.1.2.3/", Pod("10.1.2.3", null, null, "web"));
        Assert.Equal("http://[fd00::5]:8080/", Pod("fd00::5", 8080, null, "web"));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("224.0.0.1")]
    [InlineData("0.0.0.0")]
    public void Addresses_of_the_servers_own_are_not_reached(string address) =>
        Assert.Equal("address not allowed", Assert.Throws<ApiException>(() => Pod(address, 80, null, "web")).Message);

    [Fact]
    public void A_pod_without_an_address_is_refused() =>
        Assert.Equal("not a valid IP", Assert.Throws<ApiException>(() => Pod("", 80, null, "web")).Message);

    [Theory]
    [InlineData("web:80", "http://10.0.0.7:8080/")]
    [InlineData("web:http", "http://10.0.0.7:8080/")]
    [InlineData("https:web:tls", "https://10.0.0.7:8443/")]
    [InlineData("https:web:443", "https://10.0.0.7:8443/")]
    public void A_service_is_asked_at_an_endpoint_of_the_port(string asked, string expected) => Assert.Equal(expected, Service(asked));

    [Theory]
    [InlineData("web", "no endpoints available for service \"web\"")]
    [InlineData("web:other", "no endpoints available for service \"web\"")]
    [InlineData("web:81", "no service port 81 found for service \"web\"")]
    public void A_port_that_no_service_has_is_unavailable(string asked, string message)
    {
        var e = Assert.Throws<ApiException>(() => Service(asked));
        Assert.Equal((503, message), ((int)e.Code, e.Message));
    }

    [Fact]
    public void The_only_port_of_a_service_need_not_be_named()
    {
        var service = new V1Service { Metadata = new() { Name = "one" }, Spec = new() { Ports = [new() { Port = 80, Name = "http" }] } };
        Assert.Equal("http://10.0.0.7:8080/", ProxyTargetRules.OfService(service, Endpoints(), ProxyName.Parse("service", "one"), n => n - 1).ToString());
        Assert.Throws<ApiException>(() => ProxyTargetRules.OfService(service, null, ProxyName.Parse("service", "one"), n => n - 1));
    }

    [Fact]
    public void Another_port_of_a_node_is_not_the_kubelets()
    {
        var kubelet = new Uri("https://10.9.9.9:10250");
        Assert.Null(ProxyTargetRules.OfNode(kubelet, ProxyName.Parse("node", "n")));
        Assert.Null(ProxyTargetRules.OfNode(kubelet, ProxyName.Parse("node", "n:10250")));
        Assert.Equal("http://10.9.9.9:10255/", ProxyTargetRules.OfNode(kubelet, ProxyName.Parse("node", "n:10255"))?.ToString());
        Assert.Throws<ApiException>(() => ProxyTargetRules.OfNode(kubelet, ProxyName.Parse("node", "n:http")));
    }

    [Theory]
    [InlineData("/login?next=%2F", "/P/login?next=%2F")]
    [InlineData("other", "/P/a/other")]
    [InlineData("http://10.0.0.7:8080/x", "/P/x")]
    [InlineData("http://10.0.0.7:9090/x", "http://10.0.0.7:9090/x")]
    [InlineData("https://example.com/", "https://example.com/")]
    public void A_redirect_stays_within_the_proxy(string location, string expected) =>
        Assert.Equal(expected, ProxyPaths.RewriteLocation(location, new Uri("http://10.0.0.7:8080/a/b"), "/P"));

    private static string Pod(string address, int? first, int? second, string asked)
    {
        var pod = new V1Pod
        {
            Spec = new()
            {
                Containers = [new() { Name = "a", Ports = first is { } p ? [new() { ContainerPort = p }] : null }, new() { Name = "b", Ports = second is { } q ? [new() { ContainerPort = q }] : null }],
            },
            Status = new() { PodIP = address },
        };
        return ProxyTargetRules.OfPod(pod, ProxyName.Parse("pod", asked)).ToString();
    }

    private static string Service(string asked)
    {
        var service = new V1Service { Metadata = new() { Name = "web" }, Spec = new() { Ports = [new() { Port = 80, Name = "http" }, new() { Port = 443, Name = "tls" }] } };
        return ProxyTargetRules.OfService(service, Endpoints(), ProxyName.Parse("service", asked), n => n - 1).ToString();
    }

    private static V1Endpoints Endpoints() => new()
    {
        Subsets =
        [
            new()
            {
                Addresses = [new() { Ip = "10.0.0.6" }, new() { Ip = "10.0.0.7" }], NotReadyAddresses = [new() { Ip = "10.0.0.8" }],
                Ports = [new() { Name = "http", Port = 8080 }, new() { Name = "tls", Port = 8443 }],
            },
        ],
    };
}
