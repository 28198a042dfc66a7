using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Podhost.Linux.Files;
using Podhost.Runtime.Images;
using Podhost.Runtime.Images.Layers;
using Podhost.Runtime.Snapshots;

namespace Podhost.Fuzz.Tests;

/// <summary>What a registry or an archive may send.</summary>
public sealed class ImageFuzzTests : IDisposable
{
    private const string Digest1 = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    private static readonly string[] JsonTokens = ["{", "}", "[", "]", "null", "true", "\"\"", ",", ":", "\\ud800", "[[[[[[[[", "\"size\":", "\"digest\":\"sha256:\""];

    private readonly string directory = Directory.CreateTempSubdirectory("podhost-fuzz-").FullName;

    public void Dispose() => FileTree.Delete(directory, CancellationToken.None);

    [Fact]
    public void Layers()
    {
        Assert.SkipUnless(Environment.UserName == "root", "needs root to set owners and make devices");
        var outside = Directory.CreateDirectory(Path.Combine(directory, "outside")).FullName;
        File.WriteAllText(Path.Combine(outside, "file"), "untouched");
        var layers = Path.Combine(directory, "layers");
        var store = new LayerStore(layers, new LayerLimits { MaxBytes = 16 << 20, MaxEntries = 2000 }, durable: false);
        var tar = Tar(outside);
        var number = 0;
        Fuzzer.Run(
            "layer",
            2000,
            [tar, Gzip(tar), SparseTar()],
            ["../../outside/file", "outside/file\0", ".wh..wh..opq", ".wh.", "ustar\0", "path=../outside/file\n", "linkpath=" + outside + "\n", "9999999999", "GNU.sparse.realsize=999999999999999999\n", "GNU.sparse.map=0,1,", "1\n0\n"],
            input =>
            {
                Repair(input);
                var chain = Digest.Of(BitConverter.GetBytes(number++));
                try
                {
                    store.UnpackAsync(chain, [], () => new MemoryStream(input), DiffId(input), CancellationToken.None).GetAwaiter().GetResult();
                }
                finally
                {
                    Assert.Equal("untouched", File.ReadAllText(Path.Combine(outside, "file")));
                    Assert.Equal(["file"], Directory.EnumerateFileSystemEntries(outside).Select(Path.GetFileName));
                    FileTree.Delete(layers, CancellationToken.None);
                    Directory.CreateDirectory(layers);
                }
            },
            e => e is ImageException);
    }

    [Fact]
    public void Manifests() => Fuzzer.Run(
        "image manifest",
        20_000,
        [
            Encoding.UTF8.GetBytes($$$"""
                {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{{Digest1}}}","size":7},
                 "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"{{{Digest1}}}","size":32}],"annotations":{"a":"b"}}
                """),
            Encoding.UTF8.GetBytes($$$"""
                {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{{{Digest1}}}",
                 "size":7,"platform":{"architecture":"amd64","os":"linux","variant":"v1"}}]}
                """),
        ],
        JsonTokens,
        input => ManifestDocument.Parse(input, null),
        e => e is ImageException);

    [Fact]
    public void Configurations() => Fuzzer.Run(
        "image configuration",
        20_000,
        [
            Encoding.UTF8.GetBytes($$$"""
                {"architecture":"amd64","os":"linux","config":{"User":"1:2","Env":["A=b"],"Entrypoint":["/x"],"Cmd":["y"],"WorkingDir":"/","Volumes":{"/v":{}},"ExposedPorts":{"80/tcp":{}},
                 "StopSignal":"SIGTERM","Labels":{"a":"b"}},"rootfs":{"type":"layers","diff_ids":["{{{Digest1}}}"]},"history":[{"created_by":"x","empty_layer":true}]}
                """),
        ],
        JsonTokens,
        input => ConfigDocument.Parse(input),
        e => e is ImageException);

    [Fact]
    public void References() => Fuzzer.Run(
        "image reference",
        50_000,
        [
            "busybox"u8.ToArray(), "docker.io/library/busybox:latest"u8.ToArray(), "localhost:5000/a/b_c/d.e--f:v1.2"u8.ToArray(),
            Encoding.UTF8.GetBytes("[::1]:5000/x@" + Digest1), Encoding.UTF8.GetBytes("registry.example.org/x:tag@" + Digest1),
        ],
        [":", "@", "/", "..", "__", "@sha256:", "[::1]", ":65536", "A", "é", "%2f", "\\"],
        input =>
        {
            // What is taken names the same image when it is read again.
            var once = ImageReference.Parse(Encoding.UTF8.GetString(input)).ToString();
            Assert.Equal(once, ImageReference.Parse(once).ToString());
        },
        e => e is FormatException);

    private static byte[] Tar(string outside)
    {
        using var stream = new MemoryStream();
        using (var writer = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true))
        {
            writer.WriteEntry(new PaxTarEntry(TarEntryType.Directory, "d/"));
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "d/f") { DataStream = new MemoryStream("content"u8.ToArray()) });
            writer.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "l") { LinkName = outside });
            writer.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, "h") { LinkName = "d/f" });
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "l2/file") { DataStream = new MemoryStream("x"u8.ToArray()) });
            writer.WriteEntry(new PaxTarEntry(TarEntryType.CharacterDevice, "null") { DeviceMajor = 1, DeviceMinor = 3 });
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, ".wh.gone"));
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "x", new Dictionary<string, string> { ["SCHILY.xattr.user.a"] = "b" }));
            writer.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, new string('p', 150) + "/" + new string('q', 150)));
        }

        return stream.ToArray();
    }

    /// <summary>The forms of sparse files: the header's own with an extension block, PAX 0.0, 0.1 and 1.0.</summary>
    private static byte[] SparseTar()
    {
        using var stream = new MemoryStream();
        var header = new byte[1024 + 512];
        void Put(int at, string text) => Encoding.ASCII.GetBytes(text).CopyTo(header, at);
        Put(0, "old");
        Put(100, "0000644\0");
        Put(124, "00000000012\0");
        Put(156, "S");
        Put(257, "ustar  \0");
        Put(386, "00000000000\000000000005\000000001000\000000000005\0");
        Put(482, "\u0001");
        Put(483, "00000004000\0");
        Put(512, "00000002000\000000000000\0");
        Put(1024, "helloworld");
        Repair(header);
        stream.Write(header);
        using (var writer = new TarWriter(stream, TarEntryFormat.Pax, leaveOpen: true))
        {
            void Write(string data, params string[] records) => writer.WriteEntry(
                new PaxTarEntry(TarEntryType.RegularFile, "sparse", records.Select(r => r.Split('=')).Select(r => KeyValuePair.Create("GNU.sparse." + r[0], r[1])))
                {
                    DataStream = new MemoryStream(Encoding.ASCII.GetBytes(data)),
                });
            Write("hello", "size=4096", "offset=100", "numbytes=5");
            Write("helloworld", "size=4096", "numblocks=2", "name=s01", "map=0,5,100,5");
            Write("2\n0\n5\n4091\n5\n".PadRight(512, '\0') + "helloworld", "major=1", "minor=0", "name=s10", "realsize=4096");
        }

        return stream.ToArray();
    }

    /// <summary>Damage in a header would mostly end at its checksum: give it the right one, so that what lies behind is tried too.</summary>
    private static void Repair(byte[] tar)
    {
        for (var at = 0; at + 512 <= tar.Length; at += 512)
        {
            var block = tar.AsSpan(at, 512);
            if (block[257..262].SequenceEqual("ustar"u8))
            {
                block.Slice(148, 8).Fill((byte)' ');
                var sum = 0;
                foreach (var b in block)
                {
                    sum += b;
                }

                Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(block[148..]);
            }
        }
    }

    private static byte[] Gzip(byte[] tar)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(tar);
        }

        return stream.ToArray();
    }

    /// <summary>The digest that the layer's configuration would promise, so that the applier and not the check of it is what is tested.</summary>
    private static string DiffId(byte[] blob)
    {
        using var stream = LayerStream.Open(new MemoryStream(blob), 16 << 20);
        return stream.Finish(CancellationToken.None);
    }
}
