using System.Runtime.InteropServices;

namespace Podhost.Linux.Processes;

/// <summary>A program to start.</summary>
/// <param name="FileName">Absolute path of the program.</param>
/// <param name="Arguments">The arguments after the program's name.</param>
public sealed record SpawnRequest(string FileName, IReadOnlyList<string> Arguments)
{
    /// <summary>The whole environment, as NAME=value. Nothing is inherited.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>The working directory; null for this process's.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Starts a session of its own: no signal of our terminal or group reaches it.</summary>
    public bool NewSession { get; init; }

    /// <summary>Descriptors that the program gets. 0, 1 and 2 are /dev/null where not given.</summary>
    public IReadOnlyList<InheritedDescriptor> Descriptors { get; init; } = [];

    /// <summary>0, 1 and 2 are opened on /dev/null where not given. False where the new root has no such file: they stay closed.</summary>
    public bool OpenNull { get; init; } = true;
}

/// <summary>A descriptor that a started program gets.</summary>
/// <param name="Handle">Ours; must stay open until the start returns.</param>
/// <param name="Target">Its number in the program.</param>
public readonly record struct InheritedDescriptor(SafeHandle Handle, int Target)
{
    /// <summary>Passes a descriptor under the number that it has here.</summary>
    /// <param name="handle">The descriptor.</param>
    public static InheritedDescriptor SameNumber(SafeHandle handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return new InheritedDescriptor(handle, (int)handle.DangerousGetHandle());
    }
}
