// Writes the schema catalog of Podhost.Api from the models of KubernetesClient.Aot, their XML docs and the facts beside this file.
//
//   dotnet run --project tools/Podhost.SchemaGen -- schema
//       reads facts/*.tsv, writes src/Podhost.Api/Schema/Data/{schema,descriptions}.tsv
//   dotnet run --project tools/Podhost.SchemaGen -- facts DIRECTORY
//       reads the model declarations (*.d.ts) of an unpacked client generated from upstream's OpenAPI document,
//       writes facts/required.tsv: which fields are required, which are MicroTime. The models of KubernetesClient do not say it.
using Podhost.SchemaGen;

var tool = Path.Combine(RepositoryRoot(), "tools", "Podhost.SchemaGen", "facts");
var data = Path.Combine(RepositoryRoot(), "src", "Podhost.Api", "Schema", "Data");
switch (args)
{
    case ["facts", var models]:
        RequiredFacts.Write(models, Path.Combine(tool, "required.tsv"));
        return 0;
    case ["schema"]:
        var facts = Facts.Read(tool);
        var types = ModelReader.Read(facts);
        foreach (var line in facts.Unmatched(types))
        {
            Console.Error.WriteLine($"fact without a field: {line}");
        }

        SchemaWriter.Write(types, data);
        Console.WriteLine($"{types.Count} types, {types.Sum(t => t.Fields.Count)} fields");
        return 0;
    default:
        Console.Error.WriteLine("usage: schema | facts DIRECTORY");
        return 2;
}

static string RepositoryRoot()
{
    for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
    {
        if (File.Exists(Path.Combine(directory.FullName, "Podhost.slnx")))
        {
            return directory.FullName;
        }
    }

    throw new InvalidOperationException("no Podhost.slnx above " + AppContext.BaseDirectory);
}
