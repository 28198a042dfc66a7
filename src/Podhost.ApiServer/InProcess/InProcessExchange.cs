using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Podhost.ApiServer.InProcess;

/// <summary>The server's side of one in-process request: the features of its HttpContext and the pipe that carries the response.</summary>
internal sealed class InProcessExchange : IHttpResponseFeature, IHttpResponseBodyFeature, IHttpRequestLifetimeFeature
{
    private readonly Pipe _pipe = new(new PipeOptions(useSynchronizationContext: false));
    private readonly TaskCompletionSource<HttpResponseMessage> _response = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _aborted;
    private readonly Stack<(Func<object, Task> Callback, object State)> _starting = new();
    private readonly Stack<(Func<object, Task> Callback, object State)> _completed = new();
    private readonly StartingWriter _writer;

    public InProcessExchange(CancellationToken stopping)
    {
        _aborted = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        _writer = new StartingWriter(_pipe.Writer, () => StartAsync(CancellationToken.None));
        RequestAborted = _aborted.Token;
        Stream = _writer.AsStream(leaveOpen: true);
        Features = new FeatureCollection();
        Features.Set<IHttpRequestFeature>(new HttpRequestFeature());
        Features.Set<IHttpResponseFeature>(this);
        Features.Set<IHttpResponseBodyFeature>(this);
        Features.Set<IHttpRequestLifetimeFeature>(this);
    }

    public FeatureCollection Features { get; }

    /// <summary>The response; completes with its headers.</summary>
    public Task<HttpResponseMessage> Response => _response.Task;

    public int StatusCode { get; set; } = 200;

    public string? ReasonPhrase { get; set; }

    public IHeaderDictionary Headers { get; set; } = new HeaderDictionary();

    public bool HasStarted { get; private set; }

    public Stream Stream { get; }

    public PipeWriter Writer => _writer;

    public CancellationToken RequestAborted { get; set; }

    Stream IHttpResponseFeature.Body
    {
        get => Stream;
        set => throw new NotSupportedException("the response body cannot be replaced");
    }

    public void Abort() => Fail(new OperationCanceledException("the request was aborted"));

    public void OnStarting(Func<object, Task> callback, object state) => _starting.Push((callback, state));

    public void OnCompleted(Func<object, Task> callback, object state) => _completed.Push((callback, state));

    public void DisableBuffering()
    {
    }

    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (HasStarted)
        {
            return;
        }

        while (_starting.TryPop(out var next))
        {
            await next.Callback(next.State);
        }

        HasStarted = true;
        _response.TrySetResult(Build());
    }

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("files are not sent in-process");

    public Task CompleteAsync() => FinishAsync();

    /// <summary>The response is whole.</summary>
    public async Task FinishAsync()
    {
        await StartAsync();
        await _pipe.Writer.CompleteAsync();
        await RunCompletedAsync();
    }

    /// <summary>The response cannot be finished: the reader gets the failure.</summary>
    public void Fail(Exception exception)
    {
        if (!_aborted.IsCancellationRequested)
        {
            _aborted.Cancel();
        }

        _response.TrySetException(exception is OperationCanceledException ? exception : new HttpRequestException("the request failed", exception));
        _pipe.Writer.Complete(new IOException("the response was cut off", exception));
    }

    private async Task RunCompletedAsync()
    {
        while (_completed.TryPop(out var next))
        {
            await next.Callback(next.State);
        }
    }

    private HttpResponseMessage Build()
    {
        var response = new HttpResponseMessage((HttpStatusCode)StatusCode)
        {
            ReasonPhrase = ReasonPhrase,
            Content = new StreamContent(new ResponseStream(_pipe.Reader.AsStream(), _aborted)),
        };
        foreach (var (name, values) in Headers)
        {
            if (!response.Headers.TryAddWithoutValidation(name, values.AsEnumerable()))
            {
                response.Content.Headers.TryAddWithoutValidation(name, values.AsEnumerable());
            }
        }

        return response;
    }

    /// <summary>The writer that handlers see: the first flush sends the headers.</summary>
    private sealed class StartingWriter(PipeWriter inner, Func<Task> start) : PipeWriter
    {
        private bool _started;

        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override void Advance(int bytes) => inner.Advance(bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        // The exchange completes the pipe when the handler has returned.
        public override void Complete(Exception? exception = null)
        {
        }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
            _started ? inner.FlushAsync(cancellationToken) : StartAndFlushAsync(cancellationToken);

        private async ValueTask<FlushResult> StartAndFlushAsync(CancellationToken cancellationToken)
        {
            _started = true;
            await start();
            return await inner.FlushAsync(cancellationToken);
        }
    }
}
