using Microsoft.Extensions.Time.Testing;
using Podhost.Storage.Contract;
using Podhost.Storage.Memory;
using Podhost.Storage.Tests.Contract;

namespace Podhost.Storage.Tests.Memory;

public sealed class MemoryStoreTests : StoreContract
{
    private readonly FakeTimeProvider _time = new();

    protected override Task<IStore> OpenAsync() => Task.FromResult<IStore>(new MemoryStore(_time));

    protected override Task PassTimeAsync(TimeSpan time)
    {
        _time.Advance(time);
        return Task.CompletedTask;
    }

    [Fact]
    public async Task A_new_store_is_at_revision_1() => Assert.Equal(1, await Store.CurrentRevisionAsync(Ct));
}
