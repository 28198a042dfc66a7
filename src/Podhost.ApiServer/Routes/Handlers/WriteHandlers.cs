using System.Text.Json.Nodes;
using Podhost.ApiServer.Registry;
using Podhost.ApiServer.WatchCache;

namespace Podhost.ApiServer.Routes.Handlers;

/// <summary>create and update.</summary>
internal static class WriteHandlers
{
    public static async ValueTask CreateAsync(ApiServices services, RequestContext context)
    {
        var type = ReadHandlers.Accept(context);
        var options = WriteParameters.Read(context, "CreateOptions");
        var body = await BodyReader.ReadObjectAsync(context.Http.Request, services.Options.MaxRequestBytes, context.Aborted, context.DuplicateKeys);
        var obj = WriteParameters.Decode(context, context.Resource!, body);
        var created = await services.Creator.CreateAsync(
            context.Resource!, context.Info.Namespace, obj, options, tracked: false, context.Aborted);
        await RespondAsync(services, context, 201, created, type);
    }

    public static async ValueTask UpdateAsync(ApiServices services, RequestContext context)
    {
        var type = ReadHandlers.Accept(context);
        var info = context.Info;
        var options = WriteParameters.Read(context, "UpdateOptions");
        var body = await BodyReader.ReadObjectAsync(context.Http.Request, services.Options.MaxRequestBytes, context.Aborted, context.DuplicateKeys);
        var obj = WriteParameters.Decode(context, context.Resource!, body);
        WriteRules.EnsureName(obj, info.Name);
        var updated = await services.Updater.UpdateAsync(
            context.Resource!, NamespaceOf(context), info.Name, info.Subresource, _ => new Change((JsonObject)obj.DeepClone()), options, context.Aborted);
        await RespondAsync(services, context, 200, updated, type);
    }

    /// <summary>Writes the object that a write came to.</summary>
    public static async ValueTask RespondAsync(ApiServices services, RequestContext context, int code, CachedObject obj, AcceptedType type)
    {
        await services.Conversions.PrepareAsync(context.Resource!, [obj], context.Aborted);
        await ResponseWriter.WriteJsonAsync(context, code, ReadHandlers.Presenter(services, context, type).One(obj), type);
    }

    /// <summary>The namespace that an object's key has: none for cluster-scoped kinds, although their paths may name one.</summary>
    public static string NamespaceOf(RequestContext context) => context.Resource!.Namespaced ? context.Info.Namespace : "";
}
