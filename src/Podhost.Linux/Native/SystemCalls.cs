using System.Runtime.InteropServices;

namespace Podhost.Linux.Native;

/// <summary>Numbers of the calls that glibc does not wrap, or wraps for the whole process where one thread is meant.</summary>
internal static class SystemCalls
{
    internal const nint MountSetattr = 442;
    internal const nint OpenTree = 428;
    internal const nint MoveMount = 429;
    internal const nint PidfdOpen = 434;
    internal const nint PidfdSendSignal = 424;
    internal const nint CloseRange = 436;

    private static bool IsArm64 => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    internal static nint PivotRoot => IsArm64 ? 41 : 155;

    internal static nint SetGroups => IsArm64 ? 159 : 116;

    internal static nint SetResUid => IsArm64 ? 147 : 117;

    internal static nint SetResGid => IsArm64 ? 149 : 119;

    internal static nint CapSet => IsArm64 ? 91 : 126;
}
