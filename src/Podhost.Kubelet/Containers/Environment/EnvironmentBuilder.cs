using System.Text;
using k8s.Models;

namespace Podhost.Kubelet.Containers.Environment;

/// <summary>
/// A container's variables, in upstream's precedence: envFrom (later sources win), env over it (later entries may use earlier ones),
/// service variables last and only where the name is free, though <c>$(NAME)</c> sees them from the start.
/// </summary>
internal sealed class EnvironmentBuilder(EnvironmentInputs inputs, V1Container container)
{
    private readonly Dictionary<string, V1ConfigMap> _configMaps = new(StringComparer.Ordinal);
    private readonly Dictionary<string, V1Secret> _secrets = new(StringComparer.Ordinal);
    private readonly OrderedDictionary<string, string> _variables = new(StringComparer.Ordinal);
    private readonly List<InvalidKeys> _invalid = [];

    private string Namespace => inputs.Pod.Metadata.NamespaceProperty;

    /// <summary>Builds it.</summary>
    /// <exception cref="ContainerConfigException">A reference that is not optional is missing.</exception>
    public async Task<ContainerEnvironment> BuildAsync(CancellationToken cancellationToken)
    {
        var services = await ServicesAsync(cancellationToken).ConfigureAwait(false);
        foreach (var source in container.EnvFrom ?? [])
        {
            await AddFromAsync(source, cancellationToken).ConfigureAwait(false);
        }

        foreach (var variable in container.Env ?? [])
        {
            var value = string.IsNullOrEmpty(variable.Value)
                ? variable.ValueFrom is null ? "" : await ResolveAsync(variable.ValueFrom, cancellationToken).ConfigureAwait(false)
                : VariableExpansion.Expand(variable.Value, name => _variables.GetValueOrDefault(name) ?? services.GetValueOrDefault(name));
            if (value is not null)
            {
                _variables[variable.Name] = value;
            }
        }

        foreach (var (name, value) in services)
        {
            _variables.TryAdd(name, value);
        }

        return new ContainerEnvironment([.. _variables], _invalid);
    }

    private async Task<IReadOnlyDictionary<string, string>> ServicesAsync(CancellationToken cancellationToken)
    {
        var services = await inputs.Objects.GetServicesAsync(cancellationToken).ConfigureAwait(false);
        if (services is null && !IsStatic(inputs.Pod))
        {
            throw Fail("services have not yet been read at least once, cannot construct envvars");
        }

        return ServiceVariables.Of(services ?? [], Namespace, inputs.Pod.Spec.EnableServiceLinks ?? true);
    }

    private async Task AddFromAsync(V1EnvFromSource source, CancellationToken cancellationToken)
    {
        if (source.ConfigMapRef is { } map)
        {
            var found = await ConfigMapAsync(map.Name, map.Optional, cancellationToken).ConfigureAwait(false);
            Add($"ConfigMap {Namespace}/{map.Name}", source.Prefix, found?.Data?.Select(e => (e.Key, e.Value)) ?? []);
        }
        else if (source.SecretRef is { } secret)
        {
            var found = await SecretAsync(secret.Name, secret.Optional, cancellationToken).ConfigureAwait(false);
            Add($"Secret {Namespace}/{secret.Name}", source.Prefix, found?.Data?.Select(e => (e.Key, Encoding.UTF8.GetString(e.Value))) ?? []);
        }
    }

    private void Add(string source, string? prefix, IEnumerable<(string Key, string Value)> entries)
    {
        var invalid = new List<string>();
        foreach (var (key, value) in entries.OrderBy(e => e.Key, StringComparer.Ordinal))
        {
            var name = prefix + key;
            if (EnvironmentNames.IsValid(name))
            {
                _variables[name] = value;
            }
            else
            {
                invalid.Add(key);
            }
        }

        if (invalid.Count > 0)
        {
            _invalid.Add(new InvalidKeys(source, invalid));
        }
    }

    /// <summary>The value, or null where an optional reference is missing.</summary>
    private async Task<string?> ResolveAsync(V1EnvVarSource source, CancellationToken cancellationToken)
    {
        try
        {
            return source switch
            {
                { FieldRef: { } field } => FieldPaths.Read(field.FieldPath, inputs.Pod, inputs.PodIPs, inputs.HostIPs),
                { ResourceFieldRef: { } resource } => ResourceFields.Read(resource, inputs.Pod, container, inputs.Node),
                { ConfigMapKeyRef: { } map } => await FromConfigMapAsync(map, cancellationToken).ConfigureAwait(false),
                { SecretKeyRef: { } secret } => await FromSecretAsync(secret, cancellationToken).ConfigureAwait(false),
                { FileKeyRef: { } file } => FromFile(file),
                _ => "",
            };
        }
        catch (FieldPathException e)
        {
            throw Fail(e.Message);
        }
    }

    private async Task<string?> FromConfigMapAsync(V1ConfigMapKeySelector reference, CancellationToken cancellationToken)
    {
        var map = await ConfigMapAsync(reference.Name, reference.Optional, cancellationToken).ConfigureAwait(false);
        if (map is null || map.Data?.TryGetValue(reference.Key, out var value) != true)
        {
            return map is null || reference.Optional == true
                ? null
                : throw Fail($"couldn't find key {reference.Key} in ConfigMap {Namespace}/{reference.Name}");
        }

        return value;
    }

    private async Task<string?> FromSecretAsync(V1SecretKeySelector reference, CancellationToken cancellationToken)
    {
        var secret = await SecretAsync(reference.Name, reference.Optional, cancellationToken).ConfigureAwait(false);
        if (secret is null || secret.Data?.TryGetValue(reference.Key, out var value) != true)
        {
            return secret is null || reference.Optional == true
                ? null
                : throw Fail($"couldn't find key {reference.Key} in Secret {Namespace}/{reference.Name}");
        }

        return Encoding.UTF8.GetString(value!);
    }

    private string? FromFile(V1FileKeySelector reference)
    {
        if (inputs.Pod.Spec.Volumes?.Any(v => v.Name == reference.VolumeName) != true)
        {
            throw Fail($"cannot find the volume \"{reference.VolumeName}\" referenced by FileKeyRef");
        }

        try
        {
            var text = inputs.ReadVolumeFile(reference.VolumeName, reference.Path);
            var value = text is null ? null : EnvFile.Find(text, reference.Key);
            return value is not null || reference.Optional == true
                ? value
                : throw Fail($"environment variable key \"{reference.Key}\" not found in file \"{reference.Path}\"");
        }
        catch (Exception e) when (e is FormatException or IOException)
        {
            throw Fail($"couldn't parse env file: {e.Message}");
        }
    }

    private async Task<V1ConfigMap?> ConfigMapAsync(string name, bool? optional, CancellationToken cancellationToken)
    {
        if (_configMaps.TryGetValue(name, out var known))
        {
            return known;
        }

        var map = await inputs.Objects.GetConfigMapAsync(Namespace, name, cancellationToken).ConfigureAwait(false);
        if (map is not null)
        {
            return _configMaps[name] = map;
        }

        return optional == true ? null : throw Fail($"configmap \"{name}\" not found");
    }

    private async Task<V1Secret?> SecretAsync(string name, bool? optional, CancellationToken cancellationToken)
    {
        if (_secrets.TryGetValue(name, out var known))
        {
            return known;
        }

        var secret = await inputs.Objects.GetSecretAsync(Namespace, name, cancellationToken).ConfigureAwait(false);
        if (secret is not null)
        {
            return _secrets[name] = secret;
        }

        return optional == true ? null : throw Fail($"secret \"{name}\" not found");
    }

    private static bool IsStatic(V1Pod pod) =>
        pod.Metadata.Annotations?.TryGetValue("kubernetes.io/config.source", out var source) == true && source != "api";

    private static ContainerConfigException Fail(string message) => new(ContainerConfigReasons.CreateContainerConfigError, message);
}
