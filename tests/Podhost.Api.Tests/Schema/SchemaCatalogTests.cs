using Podhost.Api.Resources;
using Podhost.Api.Schema;

namespace Podhost.Api.Tests.Schema;

public class SchemaCatalogTests
{
    [Fact]
    public void HoldsEveryKindOfTheTableAndItsList()
    {
        foreach (var resource in ResourceTable.All)
        {
            var type = SchemaCatalog.Find(resource.SchemaName);
            Assert.True(type is not null, resource.SchemaName);
            Assert.NotNull(type.Field("metadata"));
            if (!resource.IsVirtual)
            {
                Assert.NotNull(SchemaCatalog.Find(resource.SchemaName + "List"));
            }
        }
    }

    [Fact]
    public void EveryReferenceResolvesAndEveryMergeKeyIsAField()
    {
        Assert.True(SchemaCatalog.Names.Count() > 300);
        foreach (var type in SchemaCatalog.Names.Select(SchemaCatalog.Get))
        {
            foreach (var field in type.Fields)
            {
                var item = field.Value.Item ?? field.Value;
                var target = item.Type;
                Assert.Equal(item.Kind == SchemaKind.Object, target is not null);
                if (field.MergeKey.Length > 0)
                {
                    Assert.NotNull(target!.Field(field.MergeKey));
                }

                Assert.All(field.ListMapKeys, k => Assert.NotNull(target!.Field(k)));
            }
        }
    }

    [Fact]
    public void KnowsFacts()
    {
        var container = SchemaCatalog.Get("io.k8s.api.core.v1.Container");
        Assert.True(container.Field("name")!.Required);
        Assert.False(container.Field("image")!.Required);
        Assert.Equal(["containerPort", "protocol"], container.Field("ports")!.ListMapKeys);
        Assert.Equal("containerPort", container.Field("ports")!.MergeKey);
        Assert.Equal("\"TCP\"", SchemaCatalog.Get("io.k8s.api.core.v1.ContainerPort").Field("protocol")!.Default);
        Assert.True(SchemaCatalog.Get("io.k8s.api.core.v1.PodSpec").Field("volumes")!.PatchRetainsKeys);
        Assert.Equal(SchemaKind.MicroTime, SchemaCatalog.Get("io.k8s.api.coordination.v1.LeaseSpec").Field("renewTime")!.Value.Kind);
        Assert.True(SchemaCatalog.Get("io.k8s.api.core.v1.ObjectReference").IsAtomic);
        Assert.Equal(SchemaKind.Quantity, SchemaCatalog.Get("io.k8s.api.core.v1.ResourceRequirements").Field("limits")!.Value.Item!.Kind);
        Assert.Null(SchemaCatalog.Find("io.k8s.api.core.v1.Nothing"));
    }

    [Fact]
    public void DescribesFields()
    {
        var descriptions = new SchemaDescriptions();
        Assert.StartsWith("A single application container", descriptions.Of("io.k8s.api.core.v1.Container")[""], StringComparison.Ordinal);
        Assert.StartsWith("Container image name.", descriptions.Of("io.k8s.api.core.v1.Container")["image"], StringComparison.Ordinal);
        foreach (var type in SchemaCatalog.Names)
        {
            Assert.Equal(SchemaCatalog.Get(type).Fields.Count + 1, descriptions.Of(type).Count);
        }
    }
}
