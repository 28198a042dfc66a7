using System.Text.Json.Nodes;
using Podhost.ApiServer.Authn;

namespace Podhost.ApiServer.Registry;

/// <summary>What every write carries besides its object.</summary>
/// <param name="User">Who asks.</param>
/// <param name="FieldManager">Name of the field manager.</param>
/// <param name="DryRun">True: do everything but persist.</param>
/// <param name="Warnings">Where warnings for the client go.</param>
/// <param name="Options">CreateOptions, UpdateOptions, … as sent, or null.</param>
internal sealed record WriteOptions(UserInfo User, string FieldManager, bool DryRun, ICollection<string> Warnings, JsonObject? Options = null);

/// <summary>Conditions on the object that a write finds.</summary>
/// <param name="Uid">metadata.uid, or null for any.</param>
/// <param name="ResourceVersion">metadata.resourceVersion, or null for any.</param>
internal readonly record struct Preconditions(string? Uid = null, string? ResourceVersion = null);
