import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.StatementSet;
import org.apache.flink.table.api.TableEnvironment;

/** Runs the statements of a SQL file on an Apache Flink inside this process: all INSERTs as one job, to its end. */
public class RunSql {
    public static void main(String[] args) throws Exception {
        TableEnvironment tables = TableEnvironment.create(EnvironmentSettings.inStreamingMode());
        List<String> inserts = new ArrayList<>();
        for (String statement : Files.readString(Path.of(args[0])).split(";\\s*(\\R|$)")) {
            String code = statement.replaceAll("(?m)^\\s*--.*$", "").strip();
            if (code.startsWith("SET ")) {
                String[] pair = code.substring(4).replace("'", "").split("=", 2);
                tables.getConfig().set(pair[0].strip(), pair[1].strip());
            } else if (code.startsWith("INSERT ")) {
                inserts.add(code);
            } else if (!code.isEmpty()) {
                tables.executeSql(code);
            }
        }
        StatementSet job = tables.createStatementSet();
        inserts.forEach(job::addInsertSql);
        job.execute().await();
        System.out.println("finished");
    }
}
