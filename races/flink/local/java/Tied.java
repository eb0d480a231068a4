package lab.f1;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.util.Arrays;

/**
 * Runs another main class for as long as standard input stays open. The supervisor holds the other end: when it ends,
 * however it ends, the operating system closes the pipe and this process ends too.
 *
 * <p>Arguments: the main class, then its own arguments.
 */
public final class Tied {
    private static final long STOP_WITHIN_MS = 4_000;

    private Tied() {}

    public static void main(String[] arguments) throws Exception {
        Thread watch = new Thread(Tied::endWithInput, "tied");
        watch.setDaemon(true);
        watch.start();
        try {
            Class.forName(arguments[0])
                    .getMethod("main", String[].class)
                    .invoke(null, (Object) Arrays.copyOfRange(arguments, 1, arguments.length));
        } catch (InvocationTargetException failed) {
            failed.getCause().printStackTrace();
            System.exit(1); // threads that it has started would keep the process alive
        }
    }

    private static void endWithInput() {
        try {
            while (System.in.read() >= 0) {
                continue;
            }
        } catch (IOException closed) {
            // the same as its end
        }
        Thread limit = new Thread(Tied::halt, "limit");
        limit.setDaemon(true);
        limit.start();
        System.exit(0);
    }

    /** Shutdown hooks may hang; nothing is lost that a restart would not bring back. */
    private static void halt() {
        try {
            Thread.sleep(STOP_WITHIN_MS);
        } catch (InterruptedException ignored) {
            // halts now
        }
        Runtime.getRuntime().halt(0);
    }
}
