using System.Text;
using System.Text.Json.Nodes;

namespace Podhost.Api.Validation.Metadata;

/// <summary>metadata of any object. Source: apimachinery's ValidateObjectMeta.</summary>
internal static class ObjectMetaRules
{
    private const int MaxAnnotationBytes = 256 * 1024;
    private static readonly string[] StandardFinalizers = ["kubernetes", "orphan", "foregroundDeletion"];

    /// <param name="meta">metadata.</param>
    /// <param name="namespaced">True where the object lives in a namespace.</param>
    /// <param name="nameRule">The syntax of names.</param>
    /// <param name="isExtension">True for definitions, custom objects and other kinds that upstream's core does not know: their finalizers need no domain.</param>
    public static void CheckCreate(Field meta, bool namespaced, Func<string, IEnumerable<string>> nameRule, bool isExtension = false)
    {
        meta["generateName"].CheckIfSet(Names.Prefix(nameRule));
        if (meta["name"].Text.Length == 0)
        {
            meta["name"].Required("name or generateName is required");
        }
        else
        {
            meta["name"].Check(nameRule);
        }

        if (namespaced)
        {
            meta["namespace"].CheckRequired(Names.DnsLabel);
        }
        else if (meta["namespace"].Text.Length > 0)
        {
            meta["namespace"].Forbidden("not allowed on this type");
        }

        meta["generation"].NotNegative();
        CheckContent(meta, isExtension);
    }

    public static void CheckUpdate(Field meta, Field old, bool isExtension = false)
    {
        CheckNewFinalizers(meta, old);
        foreach (var name in (ReadOnlySpan<string>)["name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"])
        {
            meta[name].Unchanged(old[name].Node);
        }

        meta["generation"].NotNegative();
        if (meta["generation"].Number < old["generation"].Number)
        {
            meta["generation"].Invalid("must not be decremented");
        }

        CheckContent(meta, isExtension);
    }

    /// <summary>A map of labels: metadata.labels, a node selector.</summary>
    public static void CheckLabels(Field labels)
    {
        foreach (var (key, value) in labels.Entries)
        {
            labels.Check(key, Names.Qualified);
            labels.Check(value.Text, Names.LabelValue);
        }
    }

    /// <summary>A finalizer without a domain must be one of the standard ones.</summary>
    public static void CheckFinalizer(Field finalizer)
    {
        if (!finalizer.Text.Contains('/', StringComparison.Ordinal) && !StandardFinalizers.Contains(finalizer.Text))
        {
            finalizer.Invalid("name is neither a standard finalizer name nor is it fully qualified");
        }
    }

    private static void CheckContent(Field meta, bool isExtension)
    {
        CheckLabels(meta["labels"]);
        CheckAnnotations(meta["annotations"]);
        CheckOwners(meta["ownerReferences"]);
        CheckFinalizers(meta["finalizers"], isExtension);
    }

    private static void CheckAnnotations(Field annotations)
    {
        long size = 0;
        foreach (var (key, value) in annotations.Entries)
        {
            foreach (var fault in Names.Qualified(key.ToLowerInvariant()))
            {
                annotations.InvalidText(key, fault);
            }

            size += Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value.Text);
        }

        if (size > MaxAnnotationBytes)
        {
            annotations.TooLong(MaxAnnotationBytes);
        }
    }

    private static void CheckOwners(Field owners)
    {
        Field? controller = null;
        foreach (var owner in owners.Items)
        {
            // Upstream names the list, not the item.
            NotEmpty(owners.Child("apiVersion", owner["apiVersion"].Node ?? ""), "version must not be empty");
            NotEmpty(owners.Child("kind", owner["kind"].Node ?? ""), "must not be empty");
            NotEmpty(owners.Child("name", owner["name"].Node ?? ""), "must not be empty");
            NotEmpty(owners.Child("uid", owner["uid"].Node ?? ""), "must not be empty");
            if (owner["apiVersion"].Text == "v1" && owner["kind"].Text == "Event")
            {
                owners.With(owner.Node).Invalid("/v1, Kind=Event is disallowed from being an owner");
            }

            if (owner["controller"].Flag)
            {
                if (controller is not null)
                {
                    owners.Invalid("Only one reference can have Controller set to true. Found \"true\" in references for "
                        + $"{controller["kind"].Text}/{controller["name"].Text} and {owner["kind"].Text}/{owner["name"].Text}");
                }

                controller = owner;
            }
        }
    }

    private static void CheckFinalizers(Field finalizers, bool isExtension)
    {
        foreach (var finalizer in finalizers.Items)
        {
            finalizers.Check(finalizer.Text, Names.Qualified);
            if (!isExtension)
            {
                CheckFinalizer(finalizer);
            }
        }

        var names = finalizers.Items.Select(f => f.Text).ToHashSet(StringComparer.Ordinal);
        if (names.Contains("orphan") && names.Contains("foregroundDeletion"))
        {
            finalizers.Invalid("finalizer orphan and foregroundDeletion cannot be both set");
        }
    }

    private static void CheckNewFinalizers(Field meta, Field old)
    {
        if (!old["deletionTimestamp"].IsSet)
        {
            return;
        }

        var had = old["finalizers"].Items.Select(f => f.Text).ToHashSet(StringComparer.Ordinal);
        var added = meta["finalizers"].Items.Select(f => f.Text).Where(f => !had.Contains(f)).Order(StringComparer.Ordinal).ToList();
        if (added.Count > 0)
        {
            meta["finalizers"].Forbidden("no new finalizers can be added if the object is being deleted, found new finalizers []string{"
                + string.Join(", ", added.Select(f => Field.Printed((JsonNode)f))) + "}");
        }
    }

    private static void NotEmpty(Field field, string detail)
    {
        if (field.Text.Length == 0)
        {
            field.Invalid(detail);
        }
    }
}
