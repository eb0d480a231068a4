package lab.f1;

import java.net.URI;
import java.util.List;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.DeploymentOptions;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.table.gateway.SqlGateway;
import org.apache.flink.table.gateway.service.context.DefaultContext;
import org.apache.flink.table.gateway.service.session.SessionManager;

/**
 * Apache Flink in one process: job manager with its dashboard, one task manager, and the SQL gateway. The one argument
 * is the folder with Flink's config.yaml.
 */
public final class LocalFlink {
    private LocalFlink() {}

    public static void main(String[] arguments) throws Exception {
        Configuration configuration = GlobalConfiguration.loadConfiguration(arguments[0]);
        MiniCluster cluster = startCluster(configuration);
        SqlGateway gateway = startGateway(configuration, cluster.getRestAddress().get());
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(gateway, cluster), "stop"));
        System.out.println("Flink is ready");
        gateway.waitUntilStop();
    }

    private static MiniCluster startCluster(Configuration configuration) throws Exception {
        MiniCluster cluster =
                new MiniCluster(
                        new MiniClusterConfiguration.Builder()
                                .setConfiguration(configuration)
                                .setNumTaskManagers(1)
                                .setNumSlotsPerTaskManager(configuration.get(TaskManagerOptions.NUM_TASK_SLOTS))
                                .build());
        cluster.start();
        return cluster;
    }

    /** The gateway is a client of the cluster's REST address, as it would be of a cluster on other machines. */
    private static SqlGateway startGateway(Configuration configuration, URI cluster) throws Exception {
        Configuration client = new Configuration(configuration);
        client.set(DeploymentOptions.TARGET, "remote");
        client.set(RestOptions.ADDRESS, cluster.getHost());
        client.set(RestOptions.PORT, cluster.getPort());
        client.setString("jobmanager.rpc.address", cluster.getHost()); // unused, but the client insists on it
        DefaultContext context = DefaultContext.load(client, List.of(), true);
        SqlGateway gateway = new SqlGateway(context.getFlinkConfig(), SessionManager.create(context));
        gateway.start();
        return gateway;
    }

    private static void stop(SqlGateway gateway, MiniCluster cluster) {
        gateway.stop();
        cluster.closeAsync();
    }
}
