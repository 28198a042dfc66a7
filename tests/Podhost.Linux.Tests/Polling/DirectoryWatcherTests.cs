using Podhost.Linux.Polling;

namespace Podhost.Linux.Tests.Polling;

public sealed class DirectoryWatcherTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("podhost-watch");

    public void Dispose() => _root.Delete(true);

    [Fact]
    public async Task A_file_is_reported_when_it_is_renamed_into_place()
    {
        using var watcher = new DirectoryWatcher(_root.FullName);
        await using var names = watcher.ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        var next = names.MoveNextAsync().AsTask();
        File.WriteAllText(Path.Combine(_root.FullName, "first"), "1");
        Assert.True(await next.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal("first", names.Current);
        next = names.MoveNextAsync().AsTask();
        File.Move(Path.Combine(_root.FullName, "first"), Path.Combine(_root.FullName, "second"));
        Assert.True(await next.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal("second", names.Current);
    }

    [Fact]
    public async Task A_wait_ends_when_it_is_cancelled()
    {
        using var watcher = new DirectoryWatcher(_root.FullName);
        using var cancel = new CancellationTokenSource();
        await using var names = watcher.ReadAsync(cancel.Token).GetAsyncEnumerator();
        var next = names.MoveNextAsync().AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.WaitAsync(TimeSpan.FromSeconds(20)));
    }
}
