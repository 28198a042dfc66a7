using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Podhost.Api.Certificates;

/// <summary>A PKCS #10 request as spec.request of a CertificateSigningRequest carries it; its signature was verified.</summary>
public sealed class SigningRequest
{
    private const string Label = "CERTIFICATE REQUEST";
    private const string CommonNameOid = "2.5.4.3";
    private const string OrganizationOid = "2.5.4.10";
    private const string AlternativeNamesOid = "2.5.29.17";

    // The choices of a GeneralName (RFC 5280).
    private const int Dns = 2;
    private const int Address = 7;

    private readonly List<string> _dnsNames = [];
    private readonly List<IPAddress> _addresses = [];

    private SigningRequest(CertificateRequest request)
    {
        Request = request;
        ReadSubject(request.SubjectName);
        foreach (var extension in request.CertificateExtensions.Where(e => e.Oid?.Value == AlternativeNamesOid))
        {
            AlternativeNames = extension;
            ReadNames(extension.RawData);
        }
    }

    /// <summary>The request itself: subject and public key.</summary>
    public CertificateRequest Request { get; }

    /// <summary>CN; empty where there is none.</summary>
    public string CommonName { get; private set; } = "";

    /// <summary>O, in their order.</summary>
    public IReadOnlyList<string> Organizations { get; private set; } = [];

    /// <summary>The extension of alternative names; null where there is none.</summary>
    public X509Extension? AlternativeNames { get; }

    /// <summary>DNS names.</summary>
    public IReadOnlyList<string> DnsNames => _dnsNames;

    /// <summary>IP addresses.</summary>
    public IReadOnlyList<IPAddress> Addresses => _addresses;

    /// <summary>It has mail addresses, URIs or names of another kind.</summary>
    public bool HasOtherNames { get; private set; }

    /// <summary>Reads a request.</summary>
    /// <exception cref="FormatException">It is none, or its signature is not that of its key.</exception>
    public static SigningRequest Read(ReadOnlySpan<byte> pem)
    {
        var text = Encoding.UTF8.GetString(pem);
        if (!PemEncoding.TryFind(text, out var fields) || !text.AsSpan()[fields.Label].SequenceEqual(Label))
        {
            throw new FormatException("PEM block type must be CERTIFICATE REQUEST");
        }

        try
        {
            return new SigningRequest(CertificateRequest.LoadSigningRequestPem(
                text, HashAlgorithmName.SHA256, CertificateRequestLoadOptions.UnsafeLoadCertificateExtensions, RSASignaturePadding.Pkcs1));
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException or ArgumentException or NotSupportedException)
        {
            throw new FormatException(e.Message, e);
        }
    }

    private void ReadSubject(X500DistinguishedName subject)
    {
        var organizations = new List<string>();
        foreach (var part in subject.EnumerateRelativeDistinguishedNames())
        {
            if (part.HasMultipleElements)
            {
                throw new FormatException("names of several parts are not supported in a subject");
            }

            var type = part.GetSingleElementType().Value;
            if (type == CommonNameOid)
            {
                CommonName = part.GetSingleElementValue() ?? "";
            }
            else if (type == OrganizationOid && part.GetSingleElementValue() is { } organization)
            {
                organizations.Add(organization);
            }
        }

        Organizations = organizations;
    }

    private void ReadNames(byte[] der)
    {
        var names = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        while (names.HasData)
        {
            var tag = names.PeekTag();
            switch (tag.TagValue)
            {
                case Dns:
                    _dnsNames.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, tag));
                    break;
                case Address:
                    _addresses.Add(new IPAddress(names.ReadOctetString(tag)));
                    break;
                default:
                    HasOtherNames = true;
                    names.ReadEncodedValue();
                    break;
            }
        }
    }
}
