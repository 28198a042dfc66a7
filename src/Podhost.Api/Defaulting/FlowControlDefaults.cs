using System.Text.Json.Nodes;

namespace Podhost.Api.Defaulting;

/// <summary>Defaults of FlowSchemas and PriorityLevelConfigurations. Source: upstream's flowcontrol/v1 defaults.</summary>
internal static class FlowControlDefaults
{
    private const int Precedence = 1000;
    private const int ConcurrencyShares = 30;
    private const int Queues = 64;
    private const int HandSize = 8;
    private const int QueueLength = 50;

    public static void ApplyToSchema(JsonObject schema) => Defaults.SetNumber(Defaults.Ensure(schema, "spec"), "matchingPrecedence", Precedence);

    public static void ApplyToLevel(JsonObject level)
    {
        var spec = Defaults.Ensure(level, "spec");
        if (Defaults.Child(spec, "exempt") is { } exempt)
        {
            Defaults.Set(exempt, "nominalConcurrencyShares", 0);
            Defaults.Set(exempt, "lendablePercent", 0);
        }

        if (Defaults.Child(spec, "limited") is not { } limited)
        {
            return;
        }

        Defaults.Set(limited, "nominalConcurrencyShares", ConcurrencyShares);
        Defaults.Set(limited, "lendablePercent", 0);
        if (Defaults.Child(limited, "limitResponse") is { } response && Defaults.Child(response, "queuing") is { } queuing)
        {
            Defaults.SetNumber(queuing, "queues", Queues);
            Defaults.SetNumber(queuing, "handSize", HandSize);
            Defaults.SetNumber(queuing, "queueLengthLimit", QueueLength);
        }
    }
}
