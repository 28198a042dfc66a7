using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;
using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Core;

/// <summary>ConfigMaps and Secrets: keys, size, immutability.</summary>
internal static class ConfigRules
{
    private const int MaxBytes = 1024 * 1024;

    public static void CheckConfigMap(Field map)
    {
        ObjectMetaRules.CheckCreate(map["metadata"], namespaced: true, Names.DnsSubdomain);
        long size = 0;
        foreach (var (key, value) in map["data"].Entries)
        {
            value.Check(key, Names.ConfigKey);
            if (map["binaryData"].Key(key).IsSet)
            {
                value.InvalidText(key, "duplicate of key present in binaryData");
            }

            size += Encoding.UTF8.GetByteCount(value.Text);
        }

        size += CheckBinary(map["binaryData"]);
        CheckSize(map, size, "");
    }

    public static void UpdateConfigMap(Field map, Field old)
    {
        ObjectMetaRules.CheckUpdate(map["metadata"], old["metadata"]);
        CheckImmutable(map, old, ["data", "binaryData"]);
        CheckConfigMap(map);
    }

    public static void CheckSecret(Field secret)
    {
        ObjectMetaRules.CheckCreate(secret["metadata"], namespaced: true, Names.DnsSubdomain);
        CheckSize(secret, CheckBinary(secret["data"]), "data");
        SecretTypeRules.Check(secret);
    }

    public static void UpdateSecret(Field secret, Field old)
    {
        ObjectMetaRules.CheckUpdate(secret["metadata"], old["metadata"]);
        secret["type"].Unchanged(old["type"].Node);
        CheckImmutable(secret, old, ["data"]);
        CheckSecret(secret);
    }

    private static long CheckBinary(Field data)
    {
        long size = 0;
        foreach (var (key, value) in data.Entries)
        {
            value.Check(key, Names.ConfigKey);
            size += Base64.IsValid(value.Text, out var length) ? length : 0;
        }

        return size;
    }

    private static void CheckSize(Field obj, long size, string path)
    {
        if (size > MaxBytes)
        {
            obj.Add(FieldError.TooLong(path, MaxBytes));
        }
    }

    private static void CheckImmutable(Field obj, Field old, string[] fields)
    {
        if (!old["immutable"].Flag)
        {
            return;
        }

        if (!obj["immutable"].Flag)
        {
            obj["immutable"].Forbidden("field is immutable when `immutable` is set");
        }

        foreach (var field in fields.Where(f => !JsonNode.DeepEquals(obj[f].Node, old[f].Node)))
        {
            obj[field].Forbidden("field is immutable when `immutable` is set");
        }
    }
}
