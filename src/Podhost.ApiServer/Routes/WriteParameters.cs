using System.Text.Json.Nodes;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.Api.Schema;
using Podhost.Api.Validation;
using Podhost.ApiServer.Registry;

namespace Podhost.ApiServer.Routes;

/// <summary>The query parameters of writes, and bodies decoded as they ask for.</summary>
internal static class WriteParameters
{
    private const int MaxManagerLength = 128;

    /// <summary>Reads dryRun, fieldManager and fieldValidation.</summary>
    /// <param name="context">The request.</param>
    /// <param name="kind">CreateOptions, UpdateOptions, PatchOptions or DeleteOptions; named in errors.</param>
    /// <exception cref="ApiException">422: a value is not allowed.</exception>
    public static WriteOptions Read(RequestContext context, string kind)
    {
        var errors = new List<FieldError>();
        var dryRun = context.Http.Request.Query["dryRun"];
        errors.AddRange(dryRun.Where(v => v is not ("All" or "" or null)).Select(v => FieldError.NotSupported("dryRun", v!, ["All"])));
        var manager = context.Query("fieldManager");
        if (manager.Length > MaxManagerLength)
        {
            errors.Add(FieldError.TooLong("fieldManager", MaxManagerLength));
        }

        if (manager.Any(char.IsControl))
        {
            errors.Add(FieldError.InvalidString("fieldManager", manager, "should only contain printable characters"));
        }

        var validation = context.Query("fieldValidation");
        if (validation is not ("" or "Ignore" or "Warn" or "Strict"))
        {
            errors.Add(FieldError.NotSupported("fieldValidation", validation, ["Ignore", "Strict", "Warn"]));
        }

        if (errors.Count > 0)
        {
            throw ApiException.Invalid("meta.k8s.io", kind, "", errors);
        }

        var options = new JsonObject { ["kind"] = kind, ["apiVersion"] = "meta.k8s.io/v1" };
        if (dryRun.Count > 0)
        {
            options["dryRun"] = new JsonArray("All");
        }

        return new WriteOptions(context.User, ManagerName(context, manager), dryRun.Contains("All"), context.Warnings, options);
    }

    /// <summary>Decodes an object of a resource (or of a subresource's kind) and reports what does not belong to it.</summary>
    public static JsonObject Decode(RequestContext context, ResourceInfo resource, ReadOnlySpan<byte> json)
    {
        var check = FieldValidation.Check(resource, json);
        CheckKind(check.Pruned, resource.ApiVersion, resource.Kind);
        Report(context, [.. context.DuplicateKeys, .. check.Problems], resource.Kind, resource.Version);
        return check.Pruned;
    }

    /// <summary>As <see cref="Decode(RequestContext, ResourceInfo, ReadOnlySpan{byte})"/>, for an applied configuration.</summary>
    /// <remarks>Of a custom kind it stays whole: what the schema does not know is for the merge to refuse, as upstream words it.</remarks>
    public static JsonObject DecodeApplied(RequestContext context, ResourceInfo resource, ReadOnlySpan<byte> json)
    {
        if (resource.Custom is null)
        {
            return Decode(context, resource, json);
        }

        var obj = ObjectCodec.ParseJson(json);
        CheckKind(obj, resource.ApiVersion, resource.Kind);
        Report(context, context.DuplicateKeys, resource.Kind, resource.Version);
        return obj;
    }

    /// <summary>Decodes an object of a named schema, for bodies that are no resource of their own.</summary>
    public static JsonObject Decode(RequestContext context, string schemaName, string apiVersion, string kind, ReadOnlySpan<byte> json)
    {
        var obj = DecodeAny(context, schemaName, json);
        CheckKind(obj, apiVersion, kind);
        obj["apiVersion"] = apiVersion;
        obj["kind"] = kind;
        return obj;
    }

    /// <summary>Decodes an object of a named schema under whatever apiVersion and kind it says it is.</summary>
    public static JsonObject DecodeAny(RequestContext context, string schemaName, ReadOnlySpan<byte> json)
    {
        var type = SchemaCatalog.Find(schemaName) ?? throw ApiException.Internal($"no schema {schemaName}");
        var check = FieldValidation.Check(type, json);
        Report(context, check.Problems, schemaName[(schemaName.LastIndexOf('.') + 1)..], "v1");
        return check.Pruned;
    }

    /// <summary>Applies fieldValidation to what a decoder found.</summary>
    /// <exception cref="ApiException">400: Strict was asked for and there is something.</exception>
    public static void Report(RequestContext context, IReadOnlyList<string> problems, string kind, string version)
    {
        if (problems.Count == 0)
        {
            return;
        }

        switch (context.Query("fieldValidation"))
        {
            case "Ignore":
                return;
            case "Strict":
                throw ApiException.BadRequest(
                    $"{kind} in version \"{version}\" cannot be handled as a {kind}: strict decoding error: {string.Join(", ", problems)}");
            default:
                foreach (var problem in problems)
                {
                    context.Warnings.Add(problem);
                }

                return;
        }
    }

    private static void CheckKind(JsonObject obj, string apiVersion, string kind)
    {
        var (sentVersion, sentKind) = (Meta.Text(obj["apiVersion"]), Meta.Text(obj["kind"]));
        if (sentKind.Length > 0 && sentKind != kind)
        {
            throw ApiException.BadRequest(
                $"{sentKind} in version \"{sentVersion}\" cannot be handled as a {kind}: the kind in the data ({sentKind}) does not match the expected kind ({kind})");
        }

        if (sentVersion.Length > 0 && sentVersion != apiVersion)
        {
            throw ApiException.BadRequest(
                $"the API version in the data ({sentVersion}) does not match the expected API version ({apiVersion})");
        }
    }

    // Without a name the client's program is the manager, as upstream reads it from the user agent.
    private static string ManagerName(RequestContext context, string manager)
    {
        if (manager.Length > 0)
        {
            return manager;
        }

        var agent = context.Http.Request.Headers.UserAgent.ToString().Split('/', 2)[0].Trim();
        agent = new string([.. agent.Where(c => !char.IsControl(c)).Take(MaxManagerLength)]);
        return agent.Length > 0 ? agent : "unknown";
    }
}
