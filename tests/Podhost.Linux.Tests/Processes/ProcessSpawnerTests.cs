using System.Text;
using Podhost.Linux.Native;
using Podhost.Linux.Polling;
using Podhost.Linux.Processes;

namespace Podhost.Linux.Tests.Processes;

public class ProcessSpawnerTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_program_reads_its_input_and_its_output_and_exit_code_come_back()
    {
        var result = await ProgramRunner.RunAsync(Shell("read line; echo \"got $line\"; echo oops >&2; exit 7"), "hello\n", None);
        Assert.Equal(new ProgramResult(7, "got hello\n", "oops\n"), result);
    }

    [Fact]
    public async Task A_killed_program_ends_with_128_and_the_signal()
    {
        var child = ProcessSpawner.Spawn(Shell("kill -9 $$"));
        Assert.Equal(137, await child.Exit);
    }

    [Fact]
    public void A_missing_program_is_an_error_of_the_start()
    {
        var failure = Assert.Throws<LinuxException>(() => ProcessSpawner.Spawn(new SpawnRequest("/no/such/program", [])));
        Assert.Equal(Errno.ENOENT, failure.Errno);
    }

    [Fact]
    public async Task Only_the_named_descriptors_are_inherited()
    {
        var (read, write) = Descriptors.Pipe();
        var (otherRead, otherWrite) = Descriptors.Pipe();
        using (read)
        using (otherRead)
        using (otherWrite)
        {
            var number = (int)write.DangerousGetHandle();
            ChildProcess child;
            using (write)
            {
                child = ProcessSpawner.Spawn(Shell($"ls /proc/self/fd | wc -l > /proc/self/fd/{number}") with { Descriptors = [InheritedDescriptor.SameNumber(write)] });
            }

            using var stream = new DescriptorStream(read, true, false);
            using var reader = new StreamReader(stream);
            var count = await reader.ReadToEndAsync(None);
            // 0, 1 (the pipe to wc), 2, the inherited pipe, and the directory that ls reads.
            Assert.Equal("5", count.Trim());
            Assert.Equal(0, await child.Exit);
        }
    }

    [Fact]
    public async Task A_new_session_has_no_terminal_and_its_own_group()
    {
        var result = await ProgramRunner.RunAsync(Shell("cut -d' ' -f1,6 /proc/$$/stat") with { NewSession = true }, null, None);
        var ids = result.Output.Trim().Split(' ');
        Assert.Equal(ids[0], ids[1]);
    }

    [Fact]
    public async Task Ignored_signals_are_not_inherited()
    {
        var result = await ProgramRunner.RunAsync(Shell("grep SigIgn /proc/self/status"), null, None);
        Assert.Equal("0000000000000000", result.Output.Split('\t')[1].Trim());
    }

    [Fact]
    public async Task Cancelling_a_run_kills_the_program()
    {
        using var cancel = new CancellationTokenSource();
        var run = ProgramRunner.RunAsync(Shell("exec sleep 1000"), null, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.WaitAsync(TimeSpan.FromSeconds(20), None));
    }

    [Fact]
    public async Task A_process_tree_is_killed_whole()
    {
        var (read, write) = Descriptors.Pipe();
        ChildProcess child;
        using (write)
        {
            child = ProcessSpawner.Spawn(Shell("sleep 1000 & (sleep 1000 & echo up; wait) & wait") with { Descriptors = [new(write, 1)] });
        }

        using var stream = new DescriptorStream(read, true, false);
        var buffer = new byte[16];
        Assert.Equal(3, await stream.ReadAsync(buffer, None));
        Assert.Equal("up\n", Encoding.ASCII.GetString(buffer, 0, 3));
        ProcessTree.Kill(ProcessIdentity.Read(child.Pid)!);
        Assert.Equal(137, await child.Exit);
        // The pipe ends only when every process that holds it is gone.
        Assert.Equal(0, await stream.ReadAsync(buffer, None).AsTask().WaitAsync(TimeSpan.FromSeconds(20), None));
    }

    [Fact]
    public void A_process_with_another_start_time_is_another_process()
    {
        var self = ProcessIdentity.Read(Environment.ProcessId)!;
        using var handle = PidFd.Open(self);
        Assert.NotNull(handle);
        Assert.Null(PidFd.Open(self with { StartTime = self.StartTime + 1 }));
    }

    [Theory]
    [InlineData("7 (a) b) S 1 7 7 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 12345 0", 12345ul)]
    [InlineData("7 (x) Z 1 7 7 0 -1 4 0 0 0 0 0 0 0 0 20 0 1 0 12345 0", null)]
    public void Start_times_are_read_past_any_name_and_zombies_count_as_gone(string stat, ulong? expected) =>
        Assert.Equal(expected, ProcessIdentity.Parse(7, stat)?.StartTime);

    private static SpawnRequest Shell(string script) => new("/bin/sh", ["-c", script]) { Environment = [ProcessSpawner.DefaultPath] };
}
