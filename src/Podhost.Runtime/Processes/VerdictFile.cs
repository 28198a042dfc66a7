using System.Text.Json;

namespace Podhost.Runtime.Processes;

/// <summary>
/// Verdicts on programs that were tried, in a file: a trial costs the run of a container. A verdict holds as long as the program's file and
/// the machine's layout are what they were.
/// </summary>
internal sealed class VerdictFile(string path)
{
    private const int MaxVerdicts = 32;

    /// <summary>The known problem of a program, or the outcome of a trial; null for none.</summary>
    /// <param name="program">Its absolute path.</param>
    /// <param name="layout">What of the machine the outcome depends on.</param>
    /// <param name="trial">Tries the program.</param>
    internal async Task<string?> GetAsync(string program, string layout, Func<Task<string?>> trial)
    {
        var modified = File.GetLastWriteTimeUtc(program).Ticks;
        if (Load().Find(verdict => verdict.Program == program && verdict.Modified == modified && verdict.Layout == layout) is { } known)
        {
            return known.Problem;
        }

        var problem = await trial();
        var verdicts = Load();
        verdicts.RemoveAll(verdict => verdict.Program == program);
        verdicts.Add(new RuntimeVerdict(program, modified, layout, problem));
        Save(verdicts);
        return problem;
    }

    private List<RuntimeVerdict> Load()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), VerdictJson.Default.ListRuntimeVerdict) ?? [];
        }
        catch (Exception failure) when (failure is IOException or JsonException)
        {
            return [];
        }
    }

    private void Save(List<RuntimeVerdict> verdicts)
    {
        var kept = verdicts.TakeLast(MaxVerdicts).ToList();
        File.WriteAllBytes(path + ".new", JsonSerializer.SerializeToUtf8Bytes(kept, VerdictJson.Default.ListRuntimeVerdict));
        File.Move(path + ".new", path, overwrite: true);
    }
}
