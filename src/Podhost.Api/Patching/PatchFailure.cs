using Podhost.Api.Errors;
using k8s.Models;

namespace Podhost.Api.Patching;

/// <summary>The Status of patches that do not fit, as upstream's patch handler makes them.</summary>
internal static class PatchFailure
{
    /// <summary>400: the patch is malformed.</summary>
    public static ApiException Malformed(string message) => ApiException.BadRequest(message);

    /// <summary>422: the patch is well formed but does not apply to the object.</summary>
    /// <remarks>Upstream keeps the detail in its log only; here it is a cause, so that kubectl shows it.</remarks>
    public static ApiException DoesNotApply(string message)
    {
        var e = ApiException.Make(422, "Invalid", "the server rejected our request due to an error in our request");
        e.Status.Details = new V1StatusDetails { Causes = [new V1StatusCause { Field = "patch", Reason = "PatchFailed", Message = message }] };
        return e;
    }
}
