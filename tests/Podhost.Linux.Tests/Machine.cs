namespace Podhost.Linux.Tests;

/// <summary>What a test needs of the machine; without it the test is skipped with the reason.</summary>
internal static class Machine
{
    internal static void RequireRoot() => Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
}
