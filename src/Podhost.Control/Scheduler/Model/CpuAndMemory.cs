using k8s.Models;
using Podhost.Api.Pods;

namespace Podhost.Control.Scheduler.Model;

/// <summary>The two amounts that scores look at, as whole numbers as upstream's.</summary>
/// <param name="Cpu">Millicores.</param>
/// <param name="Memory">Bytes.</param>
internal readonly record struct CpuAndMemory(long Cpu, long Memory)
{
    public static CpuAndMemory Of(IReadOnlyDictionary<string, decimal> amounts) => Of(amounts.Get(ResourceNames.Cpu), amounts.Get(ResourceNames.Memory));

    /// <param name="cpu">Cores.</param>
    /// <param name="memory">Bytes.</param>
    public static CpuAndMemory Of(decimal cpu, decimal memory) => new(Quantities.MilliValue(cpu), Quantities.Value(memory));

    public static CpuAndMemory operator +(CpuAndMemory a, CpuAndMemory b) => new(a.Cpu + b.Cpu, a.Memory + b.Memory);
}
