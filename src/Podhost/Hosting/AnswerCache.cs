namespace Podhost.Hosting;

/// <summary>Answers that hold for a while. Bounded: when it is full the old ones go, and with them, if they do not suffice, all.</summary>
/// <param name="time">The clock.</param>
internal sealed class AnswerCache<TQuestion, TAnswer>(TimeProvider time) where TQuestion : notnull
{
    private const int MaxAnswers = 1000;
    private readonly Lock _gate = new();
    private readonly Dictionary<TQuestion, (TAnswer Answer, DateTimeOffset Until)> _answers = [];

    /// <summary>An answer that still holds.</summary>
    public bool TryGet(TQuestion question, out TAnswer answer)
    {
        lock (_gate)
        {
            var holds = _answers.TryGetValue(question, out var known) && known.Until > time.GetUtcNow();
            answer = known.Answer;
            return holds;
        }
    }

    /// <summary>Keeps an answer.</summary>
    public void Keep(TQuestion question, TAnswer answer, TimeSpan lifetime)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            if (_answers.Count >= MaxAnswers)
            {
                foreach (var old in _answers.Where(a => a.Value.Until <= now).Select(a => a.Key).ToList())
                {
                    _answers.Remove(old);
                }

                if (_answers.Count >= MaxAnswers)
                {
                    _answers.Clear();
                }
            }

            _answers[question] = (answer, now + lifetime);
        }
    }
}
