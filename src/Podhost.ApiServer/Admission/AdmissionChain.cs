namespace Podhost.ApiServer.Admission;

/// <summary>All plugins in their order.</summary>
internal sealed class AdmissionChain(IReadOnlyList<IAdmissionPlugin> plugins)
{
    /// <summary>Lets every plugin that handles the request change it.</summary>
    public async ValueTask AdmitAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        for (var i = 0; i < plugins.Count; i++)
        {
            await AdmitAsync(plugins[i], request, cancellationToken);
            if (request.NeedsReinvocation && !request.IsReinvocation)
            {
                // What a webhook added has to get what the plugins before give to everything; once, as upstream.
                request.IsReinvocation = true;
                for (var j = 0; j <= i; j++)
                {
                    await AdmitAsync(plugins[j], request, cancellationToken);
                }
            }
        }
    }

    private static ValueTask AdmitAsync(IAdmissionPlugin plugin, AdmissionRequest request, CancellationToken cancellationToken) =>
        plugin.Handles(request) ? plugin.AdmitAsync(request, cancellationToken) : ValueTask.CompletedTask;

    /// <summary>Lets every plugin that handles the request refuse it.</summary>
    public async ValueTask ValidateAsync(AdmissionRequest request, CancellationToken cancellationToken)
    {
        foreach (var plugin in plugins)
        {
            if (plugin.Handles(request))
            {
                await plugin.ValidateAsync(request, cancellationToken);
            }
        }
    }
}
