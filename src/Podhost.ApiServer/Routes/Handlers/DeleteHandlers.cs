using System.Text.Json.Nodes;
using Podhost.Api.Errors;
using Podhost.Api.Objects;
using Podhost.Api.Resources;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Routes.Handlers;

/// <summary>delete and deletecollection.</summary>
internal static class DeleteHandlers
{
    private const string OptionsSchema = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";

    public static async ValueTask DeleteAsync(ApiServices services, RequestContext context)
    {
        var type = ReadHandlers.Accept(context);
        var (info, resource) = (context.Info, context.Resource!);
        var (deletion, options) = await ReadOptionsAsync(services, context);
        var ns = WriteHandlers.NamespaceOf(context);
        var outcome = await services.Deleter.DeleteAsync(resource, ns, info.Name, deletion, options, null, context.Aborted);
        var code = !outcome.Removed && deletion.AcceptedWhilePending ? 202 : 200;
        if (outcome.Removed && !services.Strategies.For(resource).ReturnsDeletedObject)
        {
            await ResponseWriter.WriteJsonAsync(context, code, Success(resource, outcome.Object), type);
            return;
        }

        await WriteHandlers.RespondAsync(services, context, code, outcome.Object, type);
    }

    public static async ValueTask DeleteCollectionAsync(ApiServices services, RequestContext context)
    {
        var type = ReadHandlers.Accept(context);
        var (deletion, options) = await ReadOptionsAsync(services, context);
        var query = ListQuery.Parse(context.Query, watch: false);
        var page = await services.Lister.ListAsync(context.Resource!, context.Info.Namespace, query, context.Aborted);
        var deleted = new List<CachedObject>(page.Items.Count);
        foreach (var item in page.Items)
        {
            try
            {
                var ns = context.Resource!.Namespaced ? item.Namespace : "";
                var outcome = await services.Deleter.DeleteAsync(context.Resource!, ns, item.Name, deletion, options, null, context.Aborted);
                deleted.Add(outcome.Object);
            }
            catch (ApiException e) when (e.IsNotFound)
            {
                // Somebody else deleted it: that is what was asked for.
            }
        }

        await services.Conversions.PrepareAsync(context.Resource!, deleted, context.Aborted);
        var pieces = ReadHandlers.Presenter(services, context, type).Many(page with { Items = deleted });
        await ResponseWriter.WriteJsonAsync(context, 200, pieces, pieces.Sum(p => (long)p.Length), type);
    }

    private static async ValueTask<(DeletionOptions Deletion, WriteOptions Options)> ReadOptionsAsync(ApiServices services, RequestContext context)
    {
        var options = WriteParameters.Read(context, "DeleteOptions");
        var body = await BodyReader.ReadObjectAsync(context.Http.Request, services.Options.MaxRequestBytes, context.Aborted);
        var json = body.Length == 0 ? DeletionOptions.FromQuery(context.Query) : Decode(context, body);
        var deletion = DeletionOptions.From(json);
        return (deletion, options with { DryRun = options.DryRun || deletion.DryRun, Options = json });
    }

    // Clients send DeleteOptions under meta.k8s.io/v1, v1 or the resource's own version: the kind alone counts.
    private static JsonObject Decode(RequestContext context, byte[] body)
    {
        var json = WriteParameters.DecodeAny(context, OptionsSchema, body);
        return Meta.Text(json["kind"]) is "" or "DeleteOptions"
            ? json
            : throw ApiException.BadRequest($"decoded object cannot be converted to DeleteOptions: {Meta.Text(json["kind"])}");
    }

    private static byte[] Success(ResourceInfo resource, CachedObject obj)
    {
        var details = new JsonObject { ["name"] = obj.Name };
        if (resource.Group.Length > 0)
        {
            details["group"] = resource.Group;
        }

        details["kind"] = resource.Plural;
        details["uid"] = obj.Selectable.Get("metadata.uid");
        return ObjectCodec.ToUtf8(new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Success",
            ["details"] = details,
        });
    }
}
