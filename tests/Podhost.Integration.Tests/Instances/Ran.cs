namespace Podhost.Integration.Tests.Instances;

/// <summary>What a command did.</summary>
/// <param name="Code">Its exit code.</param>
/// <param name="Out">Its standard output.</param>
/// <param name="Error">Its standard error.</param>
public sealed record Ran(int Code, string Out, string Error)
{
    /// <summary>The output of a command that must succeed.</summary>
    public string Ok()
    {
        Assert.True(Code == 0, $"exit code {Code}\n{Out}\n{Error}");
        return Out;
    }

    /// <summary>The error text of a command that must fail.</summary>
    public string Fails()
    {
        Assert.True(Code != 0, $"succeeded, and should not have\n{Out}");
        return Error;
    }
}
