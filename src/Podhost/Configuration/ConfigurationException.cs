namespace Podhost.Configuration;

/// <summary>A setting that cannot be used; the message names it and the rule, on one line.</summary>
internal sealed class ConfigurationException(string message) : Exception(message);
