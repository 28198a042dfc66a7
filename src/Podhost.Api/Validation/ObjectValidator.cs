using System.Text.Json.Nodes;
using Podhost.Api.CustomResources;
using Podhost.Api.Resources;

namespace Podhost.Api.Validation;

/// <summary>Validation of whole objects, as upstream's strategies do it on create and update.</summary>
public static class ObjectValidator
{
    /// <summary>Faults of a new object (defaulted already). Empty where it is valid.</summary>
    public static IReadOnlyList<FieldError> ValidateCreate(ResourceInfo resource, JsonObject obj)
    {
        var faults = new List<FieldError>();
        if (resource.Custom is not null)
        {
            CustomObjects.Validate(resource, obj, null, faults);
            return faults;
        }

        KindRules.Find(resource)?.Create(new Field(obj, faults));
        return faults;
    }

    /// <summary>Faults of a change of <paramref name="old"/> into <paramref name="obj"/> through the resource or one of its subresources.</summary>
    public static IReadOnlyList<FieldError> ValidateUpdate(ResourceInfo resource, JsonObject obj, JsonObject old, string? subresource)
    {
        var faults = new List<FieldError>();
        if (resource.Custom is not null)
        {
            CustomObjects.Validate(resource, obj, old, faults);
            return faults;
        }

        KindRules.Find(resource)?.Update(new Field(obj, faults), new Field(old, []), subresource ?? "");
        return faults;
    }
}
