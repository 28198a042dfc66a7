using System.Net;
using System.Net.Sockets;
using System.Reflection;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Podhost.Cri.Client;
using Podhost.Cri.Server;
using Podhost.Cri.Services;
using Podhost.Cri.V1;

namespace Podhost.Cri.Tests;

public sealed class ContractTests
{
    public static TheoryData<string, bool> Methods()
    {
        var data = new TheoryData<string, bool>();
        foreach (var method in typeof(IRuntimeService).GetMethods())
        {
            data.Add(method.Name, true);
        }

        foreach (var method in typeof(IImageService).GetMethods())
        {
            data.Add(method.Name, false);
        }

        return data;
    }

    [Fact]
    public void EveryRpcHasItsMethod()
    {
        Assert.Equal(
            V1.RuntimeService.Descriptor.Methods.Select(m => m.Name + "Async").Order(), typeof(IRuntimeService).GetMethods().Select(m => m.Name).Order());
        Assert.Equal(
            V1.ImageService.Descriptor.Methods.Select(m => m.Name + "Async").Order(), typeof(IImageService).GetMethods().Select(m => m.Name).Order());
        Assert.Equal("runtime.v1.RuntimeService", V1.RuntimeService.Descriptor.FullName);
        Assert.Equal("runtime.v1.ImageService", V1.ImageService.Descriptor.FullName);
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task EveryCallArrivesAndIsAnswered(string name, bool isRuntime)
    {
        await using var pair = await CriPair.StartAsync();
        object service = isRuntime ? pair.Client.Runtime : pair.Client.Images;
        var method = (isRuntime ? typeof(IRuntimeService) : typeof(IImageService)).GetMethod(name)!;
        var request = FakeService.Mark((IMessage)Activator.CreateInstance(method.GetParameters()[0].ParameterType)!, "asked");

        var answers = await AnswersAsync(method, service, request);

        var call = Assert.Single((isRuntime ? pair.Runtime : pair.Images).Calls);
        Assert.Equal(name, call.Method);
        Assert.Equal(request, call.Request);
        var first = FakeService.Mark((IMessage)Activator.CreateInstance(method.ReturnType.GetGenericArguments()[0])!, name);
        Assert.Equal(first, answers[0]);
        Assert.Equal(IsStream(method) ? 2 : 1, answers.Count);
    }

    [Fact]
    public async Task StatusCodesAndMessagesCrossTheSocket()
    {
        await using var pair = await CriPair.StartAsync();
        pair.Runtime.Before = (_, _) => throw new RpcException(new Status(StatusCode.NotFound, "container \"x\": not found"));
        var e = await Assert.ThrowsAsync<RpcException>(() => pair.Client.Runtime.ContainerStatusAsync(new ContainerStatusRequest(), CancellationToken.None));
        Assert.Equal((StatusCode.NotFound, "container \"x\": not found"), (e.StatusCode, e.Status.Detail));

        pair.Runtime.Before = (_, _) => throw new InvalidOperationException("broken");
        e = await Assert.ThrowsAsync<RpcException>(() => pair.Client.Runtime.VersionAsync(new VersionRequest(), CancellationToken.None));
        Assert.Equal((StatusCode.Internal, "broken"), (e.StatusCode, e.Status.Detail));
    }

    [Fact]
    public async Task AStreamCanFailAfterItsFirstMessage()
    {
        await using var pair = await CriPair.StartAsync();
        pair.Runtime.Before = (_, _) => throw new RpcException(new Status(StatusCode.Unavailable, "gone"));
        await using var events = pair.Client.Runtime.GetContainerEventsAsync(new GetEventsRequest(), CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await events.MoveNextAsync());
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(async () => await events.MoveNextAsync())).StatusCode);
    }

    [Fact]
    public async Task CancellationReachesTheService()
    {
        await using var pair = await CriPair.StartAsync();
        var entered = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        pair.Images.Before = async (_, token) =>
        {
            entered.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token).ContinueWith(_ => cancelled.SetResult(), CancellationToken.None);
            token.ThrowIfCancellationRequested();
        };
        using var cancel = new CancellationTokenSource();
        var pull = pair.Client.Images.PullImageAsync(new PullImageRequest(), cancel.Token);
        await entered.Task.WaitAsync(TimeSpan.FromSeconds(10));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pull);
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task OrdinaryCallsEndAtTheRequestTimeout()
    {
        await using var pair = await CriPair.StartAsync();
        pair.Runtime.Before = (_, token) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token);
        var options = new CriClientOptions { Endpoint = pair.SocketPath, RequestTimeout = TimeSpan.FromMilliseconds(200) };
        await using var client = new CriClient(options, TimeProvider.System);
        var e = await Assert.ThrowsAsync<RpcException>(() => client.Runtime.VersionAsync(new VersionRequest(), CancellationToken.None));
        Assert.Equal(StatusCode.DeadlineExceeded, e.StatusCode);
    }

    [Fact]
    public async Task GoClientsMaySendTheSocketPathAsAuthority()
    {
        await using var pair = await CriPair.StartAsync();
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, token) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(pair.SocketPath), token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var http = new HttpMessageInvoker(handler);
        foreach (var authority in (string[])["localhost", pair.SocketPath, "%2Frun%2Fpodhost%2Fcri.sock", "dockershim:1"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost/runtime.v1.RuntimeService/Version")
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new ByteArrayContent([0, 0, 0, 0, 0]),
            };
            request.Headers.Host = null;
            request.Headers.TryAddWithoutValidation("Host", authority);
            request.Headers.TE.ParseAdd("trailers");
            request.Content.Headers.ContentType = new("application/grpc");
            using var response = await http.SendAsync(request, CancellationToken.None);
            await response.Content.ReadAsByteArrayAsync();
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal("0", response.TrailingHeaders.GetValues("grpc-status").Single());
        }
    }

    [Fact]
    public async Task OnlyRootMayOpenTheSocketAndALivingServerIsNotReplaced()
    {
        await using var pair = await CriPair.StartAsync();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(pair.SocketPath));
        var (runtime, _) = FakeService.Create<IRuntimeService>();
        var (images, _) = FakeService.Create<IImageService>();
        await using var second = new CriServer(new CriServerOptions { SocketPath = pair.SocketPath }, runtime, images, NullLoggerFactory.Instance);
        await Assert.ThrowsAsync<IOException>(() => second.StartAsync(CancellationToken.None));
    }

    [Fact]
    public async Task AnAbsentRuntimeIsUnavailable()
    {
        await using var client = new CriClient(new CriClientOptions { Endpoint = "unix:///nonexistent/cri.sock" }, TimeProvider.System);
        var e = await Assert.ThrowsAsync<RpcException>(() => client.Runtime.VersionAsync(new VersionRequest(), CancellationToken.None));
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
        Assert.Throws<ArgumentException>(() => new CriClient(new CriClientOptions { Endpoint = "tcp://1.2.3.4:5" }, TimeProvider.System));
    }

    private static bool IsStream(MethodInfo method) => method.ReturnType.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>);

    private static Task<List<IMessage>> AnswersAsync(MethodInfo method, object service, IMessage request)
    {
        var result = method.Invoke(service, [request, CancellationToken.None]);
        var reader = typeof(ContractTests).GetMethod(IsStream(method) ? nameof(ReadAsync) : nameof(OneAsync), BindingFlags.Static | BindingFlags.NonPublic)!;
        return (Task<List<IMessage>>)reader.MakeGenericMethod(method.ReturnType.GetGenericArguments()[0]).Invoke(null, [result])!;
    }

    private static async Task<List<IMessage>> OneAsync<T>(Task<T> task) where T : IMessage => [await task];

    private static async Task<List<IMessage>> ReadAsync<T>(IAsyncEnumerable<T> stream) where T : IMessage
    {
        var all = new List<IMessage>();
        await foreach (var item in stream)
        {
            all.Add(item);
        }

        return all;
    }
}
