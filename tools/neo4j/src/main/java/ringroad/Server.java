package ringroad;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.Map;
import org.neo4j.configuration.GraphDatabaseSettings;
import org.neo4j.configuration.connectors.BoltConnector;
import org.neo4j.configuration.helpers.SocketAddress;
import org.neo4j.dbms.api.DatabaseManagementService;
import org.neo4j.dbms.api.DatabaseManagementServiceBuilder;

/**
 * Neo4j Community with Bolt on 127.0.0.1 and authentication on, for tests and trials.
 *
 * <p>The password of the user {@code neo4j} is what the environment says in RINGROAD_STORE_PASSWORD; it is set on
 * every start, before the line that says ready.
 *
 * <p>Prints one line, {@code READY bolt://127.0.0.1:PORT}, when it answers. Stops on SIGTERM and, with {@code
 * --watch-stdin}, when its standard input closes: whoever started it may die without leaving a server behind.
 */
public final class Server {
    private static final String HOST = "127.0.0.1";
    private static final String SET_PASSWORD =
            "CREATE OR REPLACE USER neo4j SET PASSWORD $password CHANGE NOT REQUIRED";
    private static final String USAGE =
            "usage: Server [--port N] [--watch-stdin] [--conf FILE] DATA_DIRECTORY (port 0 or none: a free one)";

    public static void main(String[] arguments) {
        try {
            run(arguments);
        } catch (Exception failure) {
            failure.printStackTrace();
            System.exit(1); // threads of a half-started server would keep the process alive
        }
    }

    private static void run(String[] arguments) throws IOException {
        int port = 0;
        boolean watch = false;
        Path conf = null;
        Path home = null;
        for (int i = 0; i < arguments.length; i++) {
            switch (arguments[i]) {
                case "--port" -> port = Integer.parseInt(arguments[++i]);
                case "--conf" -> conf = Path.of(arguments[++i]);
                case "--watch-stdin" -> watch = true;
                default -> home = Path.of(arguments[i]).toAbsolutePath();
            }
        }
        if (home == null) {
            System.err.println(USAGE);
            System.exit(2);
        }
        if (watch) {
            stopWithStdin(); // before the start, which takes seconds in which the parent may die
        }
        SocketAddress address = new SocketAddress(HOST, port == 0 ? freePort() : port);
        DatabaseManagementServiceBuilder builder = new DatabaseManagementServiceBuilder(home);
        if (conf != null) {
            builder.loadPropertiesFromFile(conf);
        }
        DatabaseManagementService server = builder.setConfig(GraphDatabaseSettings.auth_enabled, true)
                .setConfig(BoltConnector.enabled, true)
                .setConfig(BoltConnector.listen_address, address)
                .setConfig(BoltConnector.advertised_address, address)
                .build();
        Runtime.getRuntime().addShutdownHook(new Thread(server::shutdown, "shutdown"));
        String password = System.getenv("RINGROAD_STORE_PASSWORD");
        if (password != null && !password.isEmpty()) {
            server.database(GraphDatabaseSettings.SYSTEM_DATABASE_NAME)
                    .executeTransactionally(SET_PASSWORD, Map.of("password", password));
        }
        System.out.println("READY bolt://" + HOST + ":" + address.getPort());
        System.out.flush();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName(HOST))) {
            return socket.getLocalPort();
        }
    }

    private static void stopWithStdin() {
        Thread watcher = new Thread(
                () -> {
                    try {
                        System.in.transferTo(OutputStream.nullOutputStream());
                    } catch (IOException broken) {
                        // A broken pipe is a closed one.
                    }
                    System.exit(0);
                },
                "stdin");
        watcher.setDaemon(true);
        watcher.start();
    }

    private Server() {}
}
