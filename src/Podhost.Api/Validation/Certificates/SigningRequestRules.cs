using Podhost.Api.Certificates;
using Podhost.Api.Validation.Metadata;

namespace Podhost.Api.Validation.Certificates;

/// <summary>CertificateSigningRequests. Source: upstream's pkg/apis/certificates/validation.</summary>
internal static class SigningRequestRules
{
    private const long ShortestSeconds = 600;
    private const int MaxSignerName = 571;
    private static readonly string[] Usages =
    [
        "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", "decipher only", "digital signature", "email protection",
        "encipher only", "ipsec end system", "ipsec tunnel", "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime",
        "server auth", "signing", "timestamping",
    ];

    public static void Create(Field request)
    {
        ObjectMetaRules.CheckCreate(request["metadata"], namespaced: false, Names.DnsSubdomain);
        CheckSpec(request["spec"]);
        CheckConditions(request["status"]["conditions"]);
    }

    public static void Update(Field request, Field old, string subresource)
    {
        ObjectMetaRules.CheckUpdate(request["metadata"], old["metadata"]);
        CheckSpec(request["spec"]);
        var conditions = request["status"]["conditions"];
        CheckConditions(conditions);
        foreach (var type in (ReadOnlySpan<string>)["Approved", "Denied", "Failed"])
        {
            if (Has(old["status"]["conditions"], type) && !Has(conditions, type))
            {
                conditions.Forbidden($"updates may not remove a condition of type \"{type}\"");
            }
        }

        if (old["status"]["certificate"].Text is { Length: > 0 } issued && request["status"]["certificate"].Text != issued)
        {
            request["status"]["certificate"].Forbidden("updates may not modify existing certificate content");
        }
    }

    private static void CheckSpec(Field spec)
    {
        CheckRequest(spec["request"]);
        if (spec["usages"].Count == 0)
        {
            spec["usages"].Required();
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var usage in spec["usages"].Items)
        {
            usage.RequiredOneOf(Usages);
            if (!seen.Add(usage.Text))
            {
                usage.Duplicate();
            }
        }

        if (spec["signerName"].Text == "kubernetes.io/legacy-unknown")
        {
            spec["signerName"].Invalid("the legacy signerName is not allowed via this API version");
        }
        else
        {
            CheckSigner(spec["signerName"]);
        }

        if (spec["expirationSeconds"].IsSet && spec["expirationSeconds"].Number < ShortestSeconds)
        {
            spec["expirationSeconds"].Invalid("may not specify a duration less than 600 seconds (10 minutes)");
        }
    }

    private static void CheckRequest(Field request)
    {
        if (request.Text.Length == 0)
        {
            request.Required();
            return;
        }

        try
        {
            SigningRequest.Read(Convert.FromBase64String(request.Text));
        }
        catch (FormatException e)
        {
            request.Invalid(e.Message);
        }
    }

    private static void CheckSigner(Field signer)
    {
        if (signer.Text.Length == 0)
        {
            signer.Required();
            return;
        }

        if (signer.Text.Length > MaxSignerName)
        {
            signer.TooLong(MaxSignerName);
        }

        if (signer.Text.Split('/') is not [var domain, { Length: > 0 } path])
        {
            signer.Invalid("must be a fully qualified domain and path of the form 'example.com/signer-name'");
            return;
        }

        if (!domain.Contains('.', StringComparison.Ordinal))
        {
            signer.Invalid("should be a domain with at least two segments separated by dots");
        }

        signer.Check(domain, Names.DnsSubdomain);
        signer.Check(path, Names.DnsSubdomain);
    }

    private static void CheckConditions(Field conditions)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var condition in conditions.Items)
        {
            if (condition["type"].Text.Length == 0)
            {
                condition["type"].Required();
            }
            else if (!seen.Add(condition["type"].Text))
            {
                condition.Duplicate(condition["type"].Text);
            }

            if (condition["type"].Text is "Approved" or "Denied" or "Failed")
            {
                condition["status"].RequiredOneOf("True");
            }
            else
            {
                condition["status"].RequiredOneOf("False", "True", "Unknown");
            }
        }

        if (seen.Contains("Approved") && seen.Contains("Denied"))
        {
            conditions.InvalidText("Denied", "Approved and Denied conditions are mutually exclusive");
        }
    }

    private static bool Has(Field conditions, string type) => conditions.Items.Any(c => c["type"].Text == type);
}
