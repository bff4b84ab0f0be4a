// SPDX-License-Identifier: Apache-2.0

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;

/** A server with threads, and a shutdown hook for SIGTERM, after which a virtual machine exits with 143. */
public final class Service {
	public static void main(String[] arguments) throws IOException {
		for (String argument : arguments) {
			System.out.println("argument: " + argument);
		}
		int port = Integer.parseInt(System.getenv("PORT"));
		HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 8);
		server.setExecutor(Executors.newFixedThreadPool(4));
		server.createContext("/", exchange -> {
			byte[] answer = "hello from java\n".getBytes(StandardCharsets.US_ASCII);
			exchange.sendResponseHeaders(200, answer.length);
			exchange.getResponseBody().write(answer);
			exchange.close();
		});
		Runtime.getRuntime().addShutdownHook(new Thread(() -> {
			for (int line = 1; line <= 2000; line++) {
				System.out.println("line " + line + " of 2000");
			}
			System.out.println("bye");
		}));
		server.start();
		System.out.println(System.getenv("GREETING") + " in " + System.getProperty("user.dir") + " as process "
				+ ProcessHandle.current().pid());
		System.err.println("to the error output");
	}
}
