namespace Podhost.Simulation.Tests;

/// <summary>What no run may leave.</summary>
internal static class Leftovers
{
    public static void None(World world)
    {
        Assert.Equal((0, 0), world.Node.Runtime.Counts);
        Assert.Empty(world.Node.PodsOnDisk());
        Assert.Empty(world.Node.PodsInCgroups());
    }

    public static void NoBreach(World world)
    {
        Assert.Empty(world.Node.Breaches);
        Assert.Empty(world.Node.Runtime.Complaints);
    }
}
