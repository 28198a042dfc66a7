using k8s.Models;
using Podhost.Api.Errors;
using Podhost.Client;

namespace Podhost.Control.Controllers.EndpointSlices;

/// <summary>Does what a plan asks for.</summary>
internal static class SliceWriter
{
    /// <summary>Updates first, so that an endpoint that moves is told twice for a moment rather than not at all.</summary>
    public static async Task ApplyAsync(IApiClient client, SlicePlan plan, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var slice in plan.Update)
            {
                await client.UpdateAsync(slice, null, cancellationToken);
            }

            foreach (var slice in plan.Create)
            {
                await client.CreateAsync(slice, cancellationToken);
            }

            foreach (var slice in plan.Delete)
            {
                await client.DeleteAsync<V1EndpointSlice>(slice.Metadata.NamespaceProperty, slice.Metadata.Name, null, cancellationToken);
            }
        }
        catch (ApiException e) when (e.IsNotFound || e.Status.Details?.Causes?.Any(c => c.Reason == "NamespaceTerminating") == true)
        {
            // A slice or the namespace is going: the informers tell the rest.
        }
    }
}
