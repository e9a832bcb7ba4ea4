import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/** A pipeline of threads over bounded blocking queues, timed in bursts. */
public final class Channels {
    private static final String PEER = "java-queues";
    /** The compilers have settled after this long and this many bursts of a row. */
    private static final long WARM_NANOS = 2_000_000_000L;
    private static final int WARM_BURSTS = 5;

    private int[] stages = {1, 3, 8};
    private int[] capacities = {1, 16, 128, 1024};
    private int packets = 20_000;
    private int rounds = 20;
    private boolean isMemory;

    private interface Work {
        void run() throws InterruptedException;
    }

    private static Thread start(Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (InterruptedException error) {
                throw new IllegalStateException(error);
            }
        });
        thread.start();
        return thread;
    }

    /** Nanoseconds from before the first send to after the last receive. */
    private static long burst(int k, int capacity, int packets) throws InterruptedException {
        List<BlockingQueue<Integer>> links = new ArrayList<>();
        for (int at = 0; at <= k; at++) {
            links.add(new ArrayBlockingQueue<>(capacity));
        }
        long[] begun = new long[1];
        List<Thread> threads = new ArrayList<>();
        for (int at = 0; at < k; at++) {
            BlockingQueue<Integer> in = links.get(at);
            BlockingQueue<Integer> out = links.get(at + 1);
            threads.add(start(() -> {
                for (int left = packets; left > 0; left--) {
                    out.put(in.take());
                }
            }));
        }
        BlockingQueue<Integer> first = links.get(0);
        threads.add(start(() -> {
            begun[0] = System.nanoTime();
            for (int at = 0; at < packets; at++) {
                first.put(at & 127);
            }
        }));
        BlockingQueue<Integer> last = links.get(k);
        long sum = 0;
        for (int left = packets; left > 0; left--) {
            sum += last.take();
        }
        long end = System.nanoTime();
        for (Thread thread : threads) {
            thread.join();
        }
        long expected = 0;
        for (int at = 0; at < packets; at++) {
            expected += at & 127;
        }
        if (sum != expected) {
            throw new IllegalStateException("k=" + k + " capacity=" + capacity + ": sum " + sum
                    + " came, " + expected + " was sent");
        }
        return end - begun[0];
    }

    private static int number(String text) {
        int number = Integer.parseInt(text);
        if (number < 1) {
            throw new IllegalArgumentException(text + " is less than 1");
        }
        return number;
    }

    private static int[] numbers(String text) {
        return Arrays.stream(text.split(",")).mapToInt(Channels::number).toArray();
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
                PEER, Runtime.version(), k, capacity, packets);
    }

    private void row(int k, int capacity) throws InterruptedException {
        long since = System.nanoTime();
        int bursts = 0;
        while (bursts < WARM_BURSTS || System.nanoTime() - since < WARM_NANOS) {
            burst(k, capacity, packets);
            bursts++;
        }
        var system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        long[] walls = new long[rounds];
        // Counted in steps of 10 ms, so of all bursts together.
        long before = system.getProcessCpuTime();
        for (int round = 0; round < rounds; round++) {
            walls[round] = burst(k, capacity, packets);
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

    private void memory() throws IOException, InterruptedException {
        double wall = burst(stages[0], capacities[0], packets) / 1e6;
        System.out.printf(Locale.ROOT, "%s\"peak_rss_kib\":%d,\"wall_ms\":%.3f}%n",
                head(stages[0], capacities[0]), peakKib(), wall);
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Channels channels = new Channels();
        try {
            channels.read(arguments);
        } catch (IllegalArgumentException error) {
            System.err.println("java: " + error.getMessage());
            System.exit(2);
        }
        if (channels.isMemory) {
            channels.memory();
            return;
        }
        for (int k : channels.stages) {
            for (int capacity : channels.capacities) {
                channels.row(k, capacity);
            }
        }
    }
}
