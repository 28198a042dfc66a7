using System.Diagnostics;
using System.Globalization;

namespace Podhost.Fuzz.Tests;

/// <summary>
/// Feeds damaged inputs to something that reads what comes from outside. Each must be taken or refused by the error that the reader
/// promises, and soon. PODHOST_FUZZ runs that many times the inputs of the usual run; a failure leaves its input in a file and names seed and file.
/// </summary>
internal static class Fuzzer
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);
    private static readonly double Factor = double.TryParse(Environment.GetEnvironmentVariable("PODHOST_FUZZ"), CultureInfo.InvariantCulture, out var n) ? n : 1;

    /// <summary>Runs one target.</summary>
    /// <param name="name">Of the target, for the report.</param>
    /// <param name="inputs">How many damaged inputs the usual run tries.</param>
    /// <param name="corpus">Good inputs, which must be taken as they are.</param>
    /// <param name="tokens">Pieces of the format.</param>
    /// <param name="read">Reads one input; throws where it refuses it.</param>
    /// <param name="isRefusal">Tells a promised refusal from a fault.</param>
    public static void Run(string name, int inputs, IReadOnlyList<byte[]> corpus, IReadOnlyList<string> tokens, Action<byte[]> read, Func<Exception, bool> isRefusal)
    {
        foreach (var good in corpus)
        {
            read(good);
        }

        var mutator = new Mutator(new Random(name.Length * 7919), corpus, tokens);
        var (taken, refused, clock) = (0, 0, Stopwatch.StartNew());
        for (var i = 0; i < inputs * Factor; i++)
        {
            var input = mutator.Next();
            var started = clock.Elapsed;
            try
            {
                read(input);
                taken++;
            }
            catch (Exception e) when (isRefusal(e))
            {
                refused++;
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"{name}: input {i}, kept in {Keep(name, i, input)}: {e.GetType().Name}: {e.Message}", e);
            }

            if (clock.Elapsed - started is var took && took >= Soon)
            {
                Assert.Fail($"{name}: input {i}, kept in {Keep(name, i, input)}, took {took}");
            }
        }

        Console.WriteLine($"fuzz {name}: {taken + refused} inputs, {taken} taken, {refused} refused, {clock.Elapsed.TotalSeconds:F1} s");
    }

    private static string Keep(string name, int number, byte[] input)
    {
        var file = Path.Combine(Path.GetTempPath(), $"podhost-fuzz-{name.Replace(' ', '-')}-{number}");
        File.WriteAllBytes(file, input);
        return file;
    }
}
