using System.Runtime.InteropServices;
using System.Text;

namespace Podhost.Linux.Processes;

/// <summary>A null-terminated array of C strings.</summary>
internal sealed unsafe class NativeStrings : IDisposable
{
    internal NativeStrings(IReadOnlyList<string> strings)
    {
        var total = (strings.Count + 1) * sizeof(byte*);
        foreach (var text in strings)
        {
            total += Encoding.UTF8.GetByteCount(text) + 1;
        }

        Pointer = (byte**)NativeMemory.Alloc((nuint)total);
        var next = (byte*)(Pointer + strings.Count + 1);
        var end = (byte*)Pointer + total;
        for (var i = 0; i < strings.Count; i++)
        {
            Pointer[i] = next;
            next += Encoding.UTF8.GetBytes(strings[i], new Span<byte>(next, (int)(end - next)));
            *next++ = 0;
        }

        Pointer[strings.Count] = null;
    }

    internal byte** Pointer { get; }

    public void Dispose() => NativeMemory.Free(Pointer);
}
