import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/** A pipeline of threads over bounded blocking queues, timed in bursts. */
public final class Channels {
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
                first.put(Harness.value(at));
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
        Harness.check(k, capacity, packets, sum);
        return end - begun[0];
    }

    public static void main(String[] arguments) throws Exception {
        new Harness("java-queues", Runtime.version().toString(), Channels::burst).main(arguments);
    }
}
