import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.calcite.config.Lex;
import org.apache.calcite.sql.parser.SqlParseException;
import org.apache.calcite.sql.parser.SqlParser;
import org.apache.flink.sql.parser.impl.FlinkSqlParserImpl;
import org.apache.flink.sql.parser.validate.FlinkSqlConformance;

/** One line for each file: its name, and the kind of statement that Flink's own parser found or what it refused. */
public class ParseSql {
  public static void main(String[] files) throws Exception {
    var config =
        SqlParser.config()
            .withParserFactory(FlinkSqlParserImpl.FACTORY)
            .withConformance(FlinkSqlConformance.DEFAULT)
            .withLex(Lex.JAVA)
            .withIdentifierMaxLength(256);
    for (String file : files) {
      var path = Path.of(file);
      try {
        var parsed = SqlParser.create(Files.readString(path), config).parseStmt();
        System.out.println(path.getFileName() + " " + parsed.getClass().getSimpleName());
      } catch (SqlParseException refused) {
        System.out.println(path.getFileName() + " refused: " + refused.getMessage().lines().findFirst().get());
      }
    }
  }
}
