using System.Runtime.CompilerServices;

namespace Podhost.Kubelet.Tests.Support;

/// <summary>A test that mounts: skipped with a reason for other users than root.</summary>
internal sealed class RootFactAttribute : FactAttribute
{
    public RootFactAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Skip = "mounting needs root";
        }
    }
}
