namespace Podhost.ApiServer.Admission;

/// <summary>Changes or refuses writes before they reach the store. Plugins run in the order in which they are configured.</summary>
public interface IAdmissionPlugin
{
    /// <summary>Name of the plugin, for example <c>ServiceAccount</c>.</summary>
    string Name { get; }

    /// <summary>True where the plugin wants to see a request; cheap.</summary>
    bool Handles(AdmissionRequest request);

    /// <summary>May change <see cref="AdmissionRequest.Object"/>. Runs before validation, once for each try of a write.</summary>
    /// <exception cref="Podhost.Api.Errors.ApiException">The request is refused.</exception>
    ValueTask AdmitAsync(AdmissionRequest request, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>May refuse, must not change. Runs after all plugins admitted and the object was validated.</summary>
    /// <exception cref="Podhost.Api.Errors.ApiException">The request is refused.</exception>
    ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken) => ValueTask.CompletedTask;
}
