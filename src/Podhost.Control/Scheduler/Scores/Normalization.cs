namespace Podhost.Control.Scheduler.Scores;

/// <summary>Brings raw points to 0…100, as upstream's default normalization does.</summary>
internal static class Normalization
{
    public const long Max = 100;

    /// <summary>In proportion to the largest; <paramref name="reverse"/>: the least points are the best.</summary>
    public static long[] ByLargest(long[] points, bool reverse)
    {
        var largest = points.Length == 0 ? 0 : points.Max();
        if (largest == 0)
        {
            return Array.ConvertAll(points, _ => reverse ? Max : 0);
        }

        return Array.ConvertAll(points, p => reverse ? Max - (Max * p / largest) : Max * p / largest);
    }

    /// <summary>From the least to the largest.</summary>
    public static long[] ByRange(long[] points)
    {
        var least = points.Min();
        var range = points.Max() - least;
        return Array.ConvertAll(points, p => range == 0 ? 0 : (long)(Max * ((double)(p - least) / range)));
    }
}
