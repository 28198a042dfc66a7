using System.Globalization;
using Podhost.Bench.Scheduler;

// usage: dotnet run -c Release --project bench/scheduler [NODES [PODS [KIND…]]]
// An API server on the memory store and the scheduler in one process, nodes that nobody runs, no kubelets; a new one for each kind of pods.
var nodes = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 1000;
var pods = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 10_000;
var kinds = args.Length > 2 ? args[2..] : Samples.Kinds;
Console.WriteLine($"{nodes} nodes, {pods} pods, {Environment.ProcessorCount} cores");
Console.WriteLine();
Console.WriteLine("| pods | all at once | pods a node | 1,000 more, 100 a second: create → bound | CPU when idle |");
Console.WriteLine("|---|---|---|---|---|");
await using (var warming = await Run.StartAsync(nodes: 200))
{
    await warming.BurstAsync("mixed", 1000);
}

foreach (var kind in kinds)
{
    await using var run = await Run.StartAsync(nodes);
    Console.WriteLine($"| {kind} | {await run.BurstAsync(kind, pods)} | {run.Spread()} | {await run.SteadyAsync(kind, pods, 1000, perSecond: 100)} | {await run.IdleAsync()} |");
}
