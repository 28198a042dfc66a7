using System.Globalization;
using System.Text;

namespace Podhost.Kubelet.Server.Metrics;

/// <summary>Writes Prometheus' text format, version 0.0.4.</summary>
internal sealed class PrometheusWriter
{
    private readonly StringBuilder text = new(4096);

    /// <summary>Begins a metric.</summary>
    public PrometheusWriter Metric(string name, string type, string help)
    {
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append('\n');
        text.Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
        return this;
    }

    /// <summary>Writes a sample; the time, where given, is in milliseconds since 1970.</summary>
    public PrometheusWriter Sample(string name, double value, long? timestamp, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        text.Append(name);
        if (labels.Length > 0)
        {
            text.Append('{');
            for (var i = 0; i < labels.Length; i++)
            {
                text.Append(i == 0 ? "" : ",").Append(labels[i].Name).Append("=\"").Append(Escape(labels[i].Value)).Append('"');
            }

            text.Append('}');
        }

        text.Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture));
        if (timestamp is { } time)
        {
            text.Append(' ').Append(time.ToString(CultureInfo.InvariantCulture));
        }

        text.Append('\n');
        return this;
    }

    /// <summary>Adds ready-made lines.</summary>
    public PrometheusWriter Raw(string lines)
    {
        text.Append(lines);
        return this;
    }

    public override string ToString() => text.ToString();

    private static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
