'use strict';
// A pipeline of NoFlo components, timed in bursts.

const noflo = require('noflo');
const path = require('node:path');

const { version } = require(path.join(path.dirname(require.resolve('noflo')), '..', 'package.json'));

// V8 has compiled a row's code after this long and this many bursts of it.
const WARM_MS = 2000;
const WARM_BURSTS = 5;
// How long a burst may take before it is given up.
const PATIENCE_MS = 120000;

const asked = { k: [1, 3, 8], packets: 20000, rounds: 20, delivery: ['direct', 'async'], memory: false };

function number(text) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`'${text}' is not a whole number of 1 or more`);
  }
  return value;
}

function deliveries(text) {
  const all = text.split(',');
  const wrong = all.find((one) => one !== 'direct' && one !== 'async');
  if (wrong !== undefined) {
    throw new Error(`'${wrong}' is no delivery; there are direct and async`);
  }
  return all;
}

function read(args) {
  for (let at = 0; at < args.length; at += 1) {
    if (args[at] === '--memory') {
      asked.memory = true;
      continue;
    }
    const name = args[at];
    at += 1;
    if (at === args.length) {
      throw new Error(`${name} has no value, or is not known`);
    }
    const value = args[at];
    if (name === '--k') asked.k = value.split(',').map(number);
    else if (name === '--packets') asked.packets = number(value);
    else if (name === '--rounds') asked.rounds = number(value);
    else if (name === '--delivery') asked.delivery = deliveries(value);
    // NoFlo's links are not bounded: the rows of all peers may be asked for, and are one here.
    else if (name === '--capacity') value.split(',').forEach(number);
    else throw new Error(`${name} is not known; there are --k, --capacity, --packets, --rounds, --delivery, --memory`);
  }
}

// What the burst that runs is waiting for.
const burst = { left: 0, sum: 0, begun: 0n, done: null };

function component(ports, process) {
  return () => {
    const made = new noflo.Component(ports);
    made.forwardBrackets = {};
    made.process(process);
    return made;
  };
}

const one = { datatype: 'int' };
const factories = {
  'bench/Source': component({ inPorts: { in: one }, outPorts: { out: one } }, (input, output) => {
    const packets = input.getData('in');
    burst.begun = process.hrtime.bigint();
    for (let at = 0; at < packets; at += 1) {
      output.send({ out: at & 127 });
    }
    output.done();
  }),
  'bench/Pass': component({ inPorts: { in: one }, outPorts: { out: one } }, (input, output) => {
    output.sendDone({ out: input.getData('in') });
  }),
  'bench/Sink': component({ inPorts: { in: one } }, (input, output) => {
    burst.sum += input.getData('in');
    burst.left -= 1;
    output.done();
    if (burst.left === 0) burst.done(process.hrtime.bigint());
  }),
};

// Builds and starts a pipeline; what is returned tells its source to send.
async function build(loader, k, delivery) {
  const graph = new noflo.Graph(`k=${k}`);
  graph.addNode('Source', 'bench/Source');
  graph.addNode('Sink', 'bench/Sink');
  let before = 'Source';
  for (let at = 0; at < k; at += 1) {
    graph.addNode(`Pass${at}`, 'bench/Pass');
    graph.addEdge(before, 'out', `Pass${at}`, 'in');
    before = `Pass${at}`;
  }
  graph.addEdge(before, 'out', 'Sink', 'in');
  const network = await noflo.createNetwork(graph, {
    componentLoader: loader,
    subscribeGraph: false,
    asyncDelivery: delivery === 'async',
  });
  // Debugging is on by default, and puts a try block around each packet.
  network.setDebug(false);
  const socket = noflo.internalSocket.createSocket();
  network.getNode('Source').component.inPorts.in.attach(socket);
  return { network, tell: (packets) => socket.post(new noflo.IP('data', packets)) };
}

// Milliseconds from before the first send to after the last receive.
async function run(tell, packets) {
  burst.left = packets;
  burst.sum = 0;
  let patience;
  const end = await new Promise((resolve, reject) => {
    const late = () => reject(new Error(`${burst.left} of ${packets} packets did not come`));
    patience = setTimeout(late, PATIENCE_MS);
    burst.done = resolve;
    tell(packets);
  });
  clearTimeout(patience);
  let expected = 0;
  for (let at = 0; at < packets; at += 1) expected += at & 127;
  if (burst.sum !== expected) {
    throw new Error(`sum ${burst.sum} came, ${expected} was sent`);
  }
  return Number(end - burst.begun) / 1e6;
}

const percentile = (sorted, percent) => sorted[Math.floor(((sorted.length - 1) * percent) / 100)];
const rounded = (figure, digits) => Number(figure.toFixed(digits));

function print(k, delivery, figures) {
  const head = { peer: `noflo-${delivery}`, version, k, capacity: null, packets: asked.packets };
  console.log(JSON.stringify({ ...head, ...figures }));
}

async function row(loader, k, delivery) {
  const { network, tell } = await build(loader, k, delivery);
  const { packets } = asked;
  if (asked.memory) {
    const wall = await run(tell, packets);
    const peak = process.resourceUsage().maxRSS;
    print(k, delivery, { peak_rss_kib: peak, wall_ms: rounded(wall, 3) });
  } else {
    const since = Date.now();
    for (let bursts = 0; bursts < WARM_BURSTS || Date.now() - since < WARM_MS; bursts += 1) {
      await run(tell, packets);
    }
    const walls = [];
    const before = process.cpuUsage();
    for (let round = 0; round < asked.rounds; round += 1) walls.push(await run(tell, packets));
    const used = process.cpuUsage(before);
    walls.sort((left, right) => left - right);
    const hops = packets * (k + 1);
    const perHop = (percent) => rounded((percentile(walls, percent) * 1e6) / hops, 1);
    print(k, delivery, {
      ns_per_hop: { min: perHop(0), p10: perHop(10), median: perHop(50) },
      cpu_ns_per_hop: rounded(((used.user + used.system) * 1e3) / hops / asked.rounds, 1),
      wall_ms: rounded(percentile(walls, 50), 3),
    });
  }
  await network.stop();
}

async function main() {
  read(process.argv.slice(2));
  const loader = new noflo.ComponentLoader(__dirname);
  await loader.listComponents();
  for (const [name, factory] of Object.entries(factories)) {
    const [library, kind] = name.split('/');
    loader.registerComponent(library, kind, factory);
  }
  // One row of memory in a process: the peak counts from its start.
  const ks = asked.memory ? asked.k.slice(0, 1) : asked.k;
  const ways = asked.memory ? asked.delivery.slice(0, 1) : asked.delivery;
  for (const k of ks) {
    for (const delivery of ways) await row(loader, k, delivery);
  }
}

main().then(() => process.exit(0), (error) => {
  console.error(`noflo: ${error.message}`);
  process.exit(1);
});
