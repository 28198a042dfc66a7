using System.Reflection;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Podhost.Cri.Tests;

/// <summary>Implements either CRI interface: remembers calls and answers with messages that carry a mark.</summary>
public class FakeService : DispatchProxy
{
    /// <summary>Calls in order.</summary>
    public List<(string Method, IMessage Request)> Calls { get; } = [];

    /// <summary>Thrown instead of an answer.</summary>
    public Func<string, CancellationToken, Task>? Before { get; set; }

    public static (T Service, FakeService Fake) Create<T>() where T : class
    {
        var service = Create<T, FakeService>();
        return (service, (FakeService)(object)service);
    }

    /// <summary>Sets the first plain string or int64 field of a message, so that it is told from an empty one.</summary>
    public static IMessage Mark(IMessage message, string mark)
    {
        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder().Where(f => !f.IsRepeated))
        {
            if (field.FieldType == FieldType.String)
            {
                field.Accessor.SetValue(message, mark);
                break;
            }
        }

        return message;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        lock (Calls)
        {
            Calls.Add((targetMethod!.Name, (IMessage)args![0]!));
        }

        var response = targetMethod.ReturnType.GetGenericArguments()[0];
        var generic = targetMethod.ReturnType.GetGenericTypeDefinition() == typeof(Task<>) ? nameof(AnswerAsync) : nameof(StreamAsync);
        return typeof(FakeService).GetMethod(generic, BindingFlags.Instance | BindingFlags.NonPublic)!
            .MakeGenericMethod(response).Invoke(this, [targetMethod.Name, args[1]]);
    }

    private async Task<T> AnswerAsync<T>(string method, CancellationToken token) where T : IMessage, new()
    {
        if (Before is not null)
        {
            await Before(method, token);
        }

        return (T)Mark(new T(), method);
    }

    private async IAsyncEnumerable<T> StreamAsync<T>(string method, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token)
        where T : IMessage, new()
    {
        yield return (T)Mark(new T(), method);
        if (Before is not null)
        {
            await Before(method, token);
        }

        yield return (T)Mark(new T(), method + "2");
    }
}
