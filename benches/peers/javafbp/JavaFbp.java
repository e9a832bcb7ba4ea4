import com.jpaulmorrison.fbp.core.engine.Component;
import com.jpaulmorrison.fbp.core.engine.InPort;
import com.jpaulmorrison.fbp.core.engine.InputPort;
import com.jpaulmorrison.fbp.core.engine.Network;
import com.jpaulmorrison.fbp.core.engine.OutPort;
import com.jpaulmorrison.fbp.core.engine.OutputPort;
import com.jpaulmorrison.fbp.core.engine.Packet;

/** A pipeline of JavaFBP components, timed in bursts. */
public final class JavaFbp {
    private static volatile int packets;
    private static volatile long begun;
    private static volatile long ended;
    private static volatile long sum;

    /** Sends numbers. */
    @OutPort("OUT")
    public static final class Source extends Component {
        private OutputPort out;

        @Override
        protected void execute() {
            int count = packets;
            begun = System.nanoTime();
            for (int at = 0; at < count; at++) {
                out.send(create(Integer.valueOf(Harness.value(at))));
            }
        }

        @Override
        protected void openPorts() {
            out = openOutput("OUT");
        }
    }

    /** Passes packets on. */
    @InPort("IN")
    @OutPort("OUT")
    public static final class Pass extends Component {
        private InputPort in;
        private OutputPort out;

        @Override
        protected void execute() {
            Packet packet;
            while ((packet = in.receive()) != null) {
                out.send(packet);
            }
        }

        @Override
        protected void openPorts() {
            in = openInput("IN");
            out = openOutput("OUT");
        }
    }

    /** Adds up the numbers. */
    @InPort("IN")
    public static final class Sink extends Component {
        private InputPort in;

        @Override
        protected void execute() {
            long total = 0;
            Packet packet;
            while ((packet = in.receive()) != null) {
                total += (Integer) packet.getContent();
                drop(packet);
            }
            ended = System.nanoTime();
            sum = total;
        }

        @Override
        protected void openPorts() {
            in = openInput("IN");
        }
    }

    private static final class Pipeline extends Network {
        private final int k;
        private final int capacity;

        Pipeline(int k, int capacity) {
            this.k = k;
            this.capacity = capacity;
            runTimeReqd = false;
        }

        @Override
        protected void define() {
            component("Source", Source.class);
            component("Sink", Sink.class);
            String from = "Source.OUT";
            for (int at = 0; at < k; at++) {
                component("Pass" + at, Pass.class);
                connect(from, "Pass" + at + ".IN", capacity);
                from = "Pass" + at + ".OUT";
            }
            connect(from, "Sink.IN", capacity);
        }
    }

    private static long burst(int k, int capacity, int count) throws Exception {
        packets = count;
        sum = -1;
        new Pipeline(k, capacity).go();
        Harness.check(k, capacity, count, sum);
        return ended - begun;
    }

    public static void main(String[] arguments) throws Exception {
        new Harness("javafbp", System.getProperty("javafbp.version"), JavaFbp::burst).main(arguments);
    }
}
