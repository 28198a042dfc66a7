using Microsoft.Data.Sqlite;

namespace Podhost.Storage.Sqlite;

/// <summary>A prepared statement with positional arguments, used by one thread at a time.</summary>
internal sealed class Statement : IDisposable
{
    private readonly SqliteCommand _command;

    internal Statement(SqliteConnection connection, string sql, params ReadOnlySpan<string> parameters)
    {
        _command = connection.CreateCommand();
        _command.CommandText = sql;
        foreach (var name in parameters)
        {
            _command.Parameters.Add(new SqliteParameter { ParameterName = name });
        }

        _command.Prepare();
    }

    internal int Execute(params ReadOnlySpan<object> arguments)
    {
        Bind(arguments);
        return _command.ExecuteNonQuery();
    }

    internal SqliteDataReader Query(params ReadOnlySpan<object> arguments)
    {
        Bind(arguments);
        return _command.ExecuteReader();
    }

    internal long? QueryInteger(params ReadOnlySpan<object> arguments)
    {
        Bind(arguments);
        return _command.ExecuteScalar() as long?;
    }

    public void Dispose() => _command.Dispose();

    private void Bind(ReadOnlySpan<object> arguments)
    {
        for (var i = 0; i < arguments.Length; i++)
        {
            var parameter = _command.Parameters[i];
            parameter.SqliteType = arguments[i] is byte[] ? SqliteType.Blob : SqliteType.Integer;
            parameter.Value = arguments[i];
        }
    }
}
