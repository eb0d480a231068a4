import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.StatementSet;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.functions.TableFunction;
import org.apache.flink.types.Row;

/**
 * Runs the statements of a SQL file on an Apache Flink inside this process: all INSERTs as one job, to its end. Its plan
 * goes into the second file, and each call of AI_COMPLETE into the output.
 */
public class RunSql {
    /** Confluent's function has its place taken: it answers with the prompt itself, or with what a model should not. */
    @FunctionHint(output = @DataTypeHint("ROW<answer STRING>"))
    public static class AiComplete extends TableFunction<Row> {
        public void eval(String model, String prompt) {
            System.out.println("asked " + model + ": " + prompt);
            boolean nothing = prompt.contains("ANSWER NULL");
            boolean blank = prompt.contains("ANSWER BLANK");
            collect(Row.of(nothing ? null : blank ? " \n\t " : "  " + prompt.replace(" ", " \n ") + "\u0007"));
        }
    }

    public static void main(String[] args) throws Exception {
        TableEnvironment tables = TableEnvironment.create(EnvironmentSettings.inStreamingMode());
        tables.createTemporarySystemFunction("AI_COMPLETE", AiComplete.class);
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
        Files.writeString(Path.of(args[1]), job.explain());
        job.execute().await();
        System.out.println("finished");
    }
}
