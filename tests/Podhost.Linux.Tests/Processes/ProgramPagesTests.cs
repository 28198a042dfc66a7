using Podhost.Linux.Processes;

namespace Podhost.Linux.Tests.Processes;

public class ProgramPagesTests
{
    [Theory]
    [InlineData("00400000-00452000 r-xp 00000000 08:02 173521                             /usr/bin/program", 0x400000, 0x52000)]
    [InlineData("7f0000000000-7f0000001000 r-xp 00001000 08:02 9 /a b (deleted)", 0x7f0000000000, 0x1000)]
    public void Code_of_a_file_is_given_back(string line, long start, long length) => Assert.Equal(((nint)start, length), ProgramPages.CodeOf(line));

    [Theory]
    [InlineData("00651000-00652000 r--p 00051000 08:02 173521 /usr/bin/program")]
    [InlineData("00652000-00655000 rw-p 00052000 08:02 173521 /usr/bin/program")]
    [InlineData("00652000-00655000 rwxp 00052000 08:02 173521 /usr/bin/program")]
    [InlineData("00652000-00655000 r-xs 00052000 00:01 2051 /memfd:doublemapper (deleted)")]
    [InlineData("7ffff7fc9000-7ffff7fca000 r-xp 00000000 00:00 0 [vdso]")]
    [InlineData("7f1c00000000-7f1c00021000 r-xp 00000000 00:00 0")]
    [InlineData("7f1c00000000-7f1c00021000 r-xp 00000000 00:00 0 /dev/zero")]
    [InlineData("")]
    public void Nothing_else_is(string line) => Assert.Null(ProgramPages.CodeOf(line));

    [Fact]
    public void What_was_given_back_runs_on()
    {
        Assert.True(ProgramPages.Release() > 0);
        Assert.Equal("00ff", Convert.ToHexStringLower([0, 255]));
    }
}
