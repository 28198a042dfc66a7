namespace Podhost.Cel.Evaluation;

/// <summary>Adds up what an evaluation costs and ends it at a limit.</summary>
internal sealed class CostMeter(long limit)
{
    public long Cost { get; private set; }

    /// <exception cref="CostLimitException">The limit is passed.</exception>
    public void Add(long cost)
    {
        Cost = cost > long.MaxValue - Cost ? long.MaxValue : Cost + cost;
        if (Cost > limit)
        {
            throw new CostLimitException();
        }
    }
}

/// <summary>An evaluation costs too much.</summary>
internal sealed class CostLimitException() : Exception("operation cancelled: actual cost limit exceeded");
