namespace Podhost.Kubelet.Containers.Sandbox;

/// <summary>RFC 1123 names.</summary>
internal static class DnsLabels
{
    private const int MaxLabel = 63;
    private const int MaxSubdomain = 253;

    public static bool IsLabel(string name) => name.Length <= MaxLabel && IsLabelText(name);

    public static bool IsSubdomain(string name) => name.Length is > 0 and <= MaxSubdomain && name.Split('.').All(IsLabelText);

    private static bool IsLabelText(string text) =>
        text.Length > 0 && text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-') && text[0] != '-' && text[^1] != '-';
}
