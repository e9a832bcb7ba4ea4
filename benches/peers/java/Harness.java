import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/** Reads the arguments, times the bursts of a pipeline, and prints its rows. */
final class Harness {
    /** Sends packets through a pipeline of k stages that is built for it. */
    interface Burst {
        /** Nanoseconds from before the first send to after the last receive. */
        long run(int k, int capacity, int packets) throws Exception;
    }

    /** The compilers have settled after this long and this many bursts of a row. */
    private static final long WARM_NANOS = 2_000_000_000L;
    private static final int WARM_BURSTS = 5;

    private final String peer;
    private final String version;
    private final Burst pipeline;
    private int[] stages = {1, 3, 8};
    private int[] capacities = {1, 16, 128, 1024};
    private int packets = 20_000;
    private int rounds = 20;
    private boolean isMemory;

    Harness(String peer, String version, Burst pipeline) {
        this.peer = peer;
        this.version = version;
        this.pipeline = pipeline;
    }

    /** The packet with this number. */
    static int value(int number) {
        return number & 127;
    }

    /** Ends the program when the sum of what came is wrong. */
    static void check(int k, int capacity, int packets, long sum) {
        long expected = 0;
        for (int at = 0; at < packets; at++) {
            expected += value(at);
        }
        if (sum != expected) {
            throw new IllegalStateException("k=" + k + " capacity=" + capacity + ": sum " + sum
                    + " came, " + expected + " was sent");
        }
    }

    private static int number(String text) {
        int number = Integer.parseInt(text);
        if (number < 1) {
            throw new IllegalArgumentException(text + " is less than 1");
        }
        return number;
    }

    private static int[] numbers(String text) {
        return Arrays.stream(text.split(",")).mapToInt(Harness::number).toArray();
    }

    private void read(String[] arguments) {
        for (int at = 0; at < arguments.length; at++) {
            String name = arguments[at];
            if (name.equals("--memory")) {
                isMemory = true;
                continue;
            }
            if (at + 1 == arguments.length) {
                throw new IllegalArgumentException(name + " has no value, or is not known");
            }
            String value = arguments[++at];
            switch (name) {
                case "--k" -> stages = numbers(value);
                case "--capacity" -> capacities = numbers(value);
                case "--packets" -> packets = number(value);
                case "--rounds" -> rounds = number(value);
                default -> throw new IllegalArgumentException(name
                        + " is not known; there are --k, --capacity, --packets, --rounds, --memory");
            }
        }
    }

    private static double percentile(long[] sorted, int percent) {
        return sorted[(sorted.length - 1) * percent / 100];
    }

    private static String spread(long[] sorted, double hops) {
        return String.format(Locale.ROOT, "{\"min\":%.1f,\"p10\":%.1f,\"median\":%.1f}",
                sorted[0] / hops, percentile(sorted, 10) / hops, percentile(sorted, 50) / hops);
    }

    private String head(int k, int capacity) {
        return String.format(Locale.ROOT,
                "{\"peer\":\"%s\",\"version\":\"%s\",\"k\":%d,\"capacity\":%d,\"packets\":%d,",
                peer, version, k, capacity, packets);
    }

    private void row(int k, int capacity) throws Exception {
        long since = System.nanoTime();
        int bursts = 0;
        while (bursts < WARM_BURSTS || System.nanoTime() - since < WARM_NANOS) {
            pipeline.run(k, capacity, packets);
            bursts++;
        }
        var system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        long[] walls = new long[rounds];
        // Counted in steps of 10 ms, so of all bursts together.
        long before = system.getProcessCpuTime();
        for (int round = 0; round < rounds; round++) {
            walls[round] = pipeline.run(k, capacity, packets);
        }
        long cpu = system.getProcessCpuTime() - before;
        Arrays.sort(walls);
        double hops = (double) packets * (k + 1);
        System.out.printf(Locale.ROOT, "%s\"ns_per_hop\":%s,\"cpu_ns_per_hop\":%.1f,\"wall_ms\":%.3f}%n",
                head(k, capacity), spread(walls, hops), cpu / hops / rounds,
                percentile(walls, 50) / 1e6);
    }

    /** The most memory that this process has had resident, as the system counts it. */
    private static long peakKib() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        throw new IOException("/proc/self/status has no line VmHWM");
    }

    private void memory() throws Exception {
        double wall = pipeline.run(stages[0], capacities[0], packets) / 1e6;
        System.out.printf(Locale.ROOT, "%s\"peak_rss_kib\":%d,\"wall_ms\":%.3f}%n",
                head(stages[0], capacities[0]), peakKib(), wall);
    }

    void main(String[] arguments) throws Exception {
        try {
            read(arguments);
        } catch (IllegalArgumentException error) {
            System.err.println(peer + ": " + error.getMessage());
            System.exit(2);
        }
        if (isMemory) {
            memory();
            return;
        }
        for (int k : stages) {
            for (int capacity : capacities) {
                row(k, capacity);
            }
        }
    }
}
