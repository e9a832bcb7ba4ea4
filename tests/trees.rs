//! Packets that own packets, the stack of a process, and headers that components set.

mod support;

use std::task::Context;

use paperflow::{
    Activity, Component, Fault, Give, Got, In, Out, Packet, Param, Params, PortSpec, Spec, Step,
    Take, Turn, Verdict, Work, component,
};

use support::{Bench, Ran};

/// Sends orders that own lines that own toppings: one order for every COUNT, six packets each.
#[component("test/orders", work = compute)]
async fn orders(
    /// How many.
    count: Param<i64>,
    /// The orders.
    out: Out<Packet>,
) -> Result<(), Fault> {
    for number in 1..=*count {
        let mut order = Got::made(number);
        for line in 0..2 {
            let mut owner = Got::made(Packet::text("a line of the order"));
            owner.attach("toppings", line);
            order.attach("lines", owner);
        }
        order.attach("notes", "by seven");
        out.send(order).await?;
    }
    Ok(())
}

/// Sends the lines of each order without their toppings, and ends the rest.
#[component("test/lines", work = compute)]
async fn lines(
    /// Orders.
    orders: In<Packet>,
    /// Lines.
    out: Out<Packet>,
) -> Result<(), Fault> {
    while let Some(mut order) = orders.next().await {
        while let Some(mut line) = order.detach("lines") {
            drop(line.detach("toppings"));
            out.send(line).await?;
        }
    }
    Ok(())
}

/// Sends each order as its number alone.
#[component("test/strip", work = compute)]
async fn strip(
    /// Orders.
    orders: In<Packet>,
    /// The same orders, without what they own.
    out: Out<Packet>,
) -> Result<(), Fault> {
    while let Some(order) = orders.next().await {
        let number = Packet::json(order.to_json());
        out.send(order.with_payload(&number)).await?;
    }
    Ok(())
}

/// Passes each on as it is.
#[component("test/pass", work = compute)]
fn pass(
    /// Anything.
    input: Packet,
    /// The same.
    out: &mut Out<Packet>,
) {
    out.put(input);
}

/// Sends the number of each order.
#[component("test/number", work = compute)]
fn number(
    /// Orders.
    input: i64,
    /// Numbers.
    out: &mut Out<i64>,
) {
    out.put(input);
}

/// Fails at every order.
#[component("test/refuse", work = compute)]
fn refuse(
    /// Orders.
    input: i64,
    /// Nothing.
    out: &mut Out<i64>,
) -> Result<(), Fault> {
    out.put(0);
    Err(Fault::new(format!("no {input}")))
}

fn bench(text: &str) -> Bench {
    Bench::of(text)
        .with(orders)
        .with(lines)
        .with(strip)
        .with(pass)
        .with(number)
        .with(stamp)
        .with(headers)
        .with(refuse)
        .with(Reverse::new("test/reverse", true))
        .with(Reverse::new("test/pile", false))
}

/// Stamps each with the name of its tenant: a received packet, and a new one beside it.
#[component("test/stamp", work = compute)]
async fn stamp(
    /// Anything.
    input: In<Packet>,
    /// The same, and a copy.
    out: Out<Packet>,
) -> Result<(), Fault> {
    while let Some(mut packet) = input.next().await {
        let copy = packet.clone().with_header("tenant", "copy");
        packet.set_header("tenant", "one");
        packet.set_header("level", "2");
        out.send(packet).await?;
        out.send(copy).await?;
    }
    Ok(())
}

/// Sends the headers of each as a text.
#[component("test/headers", work = compute)]
async fn headers(
    /// Anything.
    input: In<Packet>,
    /// `tenant level`.
    out: Out<String>,
) -> Result<(), Fault> {
    while let Some(packet) = input.next().await {
        let header = |name| packet.headers().and_then(|headers| headers.get(name));
        let line = [header("tenant"), header("level")].map(|value| value.unwrap_or("-"));
        out.send(line.join(" ")).await?;
    }
    Ok(())
}

/// Made, dropped, lost, shed and handed out.
fn counted(ran: &Ran) -> [u64; 5] {
    let totals = &ran.outcome.statistics.totals;
    [
        totals.created,
        totals.dropped,
        totals.lost_on_close,
        totals.shed,
        totals.handed_out,
    ]
}

#[test]
fn a_tree_that_is_dropped_counts_its_members() {
    bench("'3' -> COUNT O(test/orders) OUT -> IN P(test/pass) OUT -> IN D(Drop)").every_way(
        |ran| {
            ran.succeeds();
            assert_eq!(counted(ran), [18, 18 + 1, 0, 0, 0], "{:?}", ran.way);
            assert_eq!(
                ran.link("D.IN").counts.sent,
                3,
                "what travels are the orders"
            );
        },
    );
}

#[test]
fn a_tree_is_taken_apart_and_its_members_go_on() {
    let network = bench(
        "'2' -> COUNT O(test/orders) OUT -> IN P(test/pass) OUT -> ORDERS L(test/lines)
        OUTPORT=L.OUT:OUT",
    );
    network.expect(&["a line of the order"; 4]);
    network.every_way(|ran| {
        assert_eq!(counted(ran), [12, 8 + 1, 0, 0, 4], "{:?}", ran.way);
    });
}

#[test]
fn who_reads_the_payload_ends_the_rest() {
    let network = bench(
        "'2' -> COUNT O(test/orders) OUT -> IN N(test/number) OUT -> IN P(test/pass)
        OUTPORT=P.OUT:OUT",
    );
    network.expect(&["1", "2"]);
    network.every_way(|ran| {
        assert_eq!(counted(ran), [12 + 2, 12 + 1, 0, 0, 2], "{:?}", ran.way);
    });
}

#[test]
fn who_puts_another_payload_in_its_place_ends_the_rest() {
    let network = bench(
        "'2' -> COUNT O(test/orders) OUT -> ORDERS S(test/strip) OUT -> IN P(test/pass)
        OUTPORT=P.OUT:OUT",
    );
    network.expect(&["1", "2"]);
    network.every_way(|ran| {
        assert_eq!(counted(ran), [12, 10 + 1, 0, 0, 2], "{:?}", ran.way);
    });
}

#[test]
fn a_copy_goes_without_what_the_original_owns() {
    let text = "'2' -> COUNT O(test/orders) OUT -> IN R(Replicate) OUT -> IN P(test/pass)
        OUTPORT=P.OUT:OUT";
    bench(text).expect(&["1", "2"]);
    bench(text).every_way(|ran| {
        assert_eq!(counted(ran), [12 + 2, 12 + 1, 0, 0, 2], "{:?}", ran.way);
    });
}

#[test]
fn trees_are_handed_out_lost_and_shed_with_their_members() {
    bench("'4' -> COUNT O(test/orders) OUT -> IN P(test/pass)\nOUTPORT=P.OUT:OUT").every_way(
        |ran| {
            ran.succeeds();
            assert_eq!(counted(ran), [24, 1, 0, 0, 24], "{:?}", ran.way);
        },
    );
    let texts = [
        "'40' -> COUNT O(test/orders) OUT -> IN T(Take) ACC -> IN D(Drop)\n'3' -> NUMBER T",
        "'40' -> COUNT O(test/orders) OUT ->(capacity=1, full=drop-oldest) IN S(SlowPass) OUT -> IN D(Drop)",
        "'40' -> COUNT O(test/orders) OUT ->(capacity=1, full=drop-new) IN S(SlowPass) OUT -> IN D(Drop)",
    ];
    for text in texts {
        bench(text).every_way(|ran| {
            ran.succeeds();
            let [created, dropped, lost, shed, _] = counted(ran);
            assert_eq!(created % 6, 0, "{:?}", ran.way);
            assert_eq!((lost % 6, shed % 6), (0, 0), "{:?}", ran.way);
            let initial = ran.outcome.statistics.totals.iip_delivered;
            assert_eq!(created, dropped - initial + lost + shed, "{:?}", ran.way);
        });
    }
}

#[test]
fn a_tree_that_causes_a_fault_leaves_by_the_error_port_without_its_members() {
    let text = "'2' -> COUNT O(test/orders) OUT -> IN R(test/refuse) OUT -> IN D(Drop)
        R ERROR -> IN P(test/pass)
        OUTPORT=P.OUT:OUT";
    bench(text).expect(&["1", "2"]);
}

/// Lays what comes on its stack, and sends one of it in each activation after the last.
struct Reverse {
    spec: Spec,
    pops: bool,
}

impl Reverse {
    fn new(name: &str, pops: bool) -> Self {
        let spec = Spec::new(name, "Keeps what comes on its stack.")
            .work(Work::Compute)
            .again()
            .input(PortSpec::new("IN", "Anything.", Vec::new()))
            .output(PortSpec::new("OUT", "The last one first.", Vec::new()));
        Self { spec, pops }
    }
}

impl Component for Reverse {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn open(&self, _: &Params) -> Result<Box<dyn Activity>, Fault> {
        Ok(Box::new(Reversing {
            pops: self.pops,
            held: None,
        }))
    }
}

struct Reversing {
    pops: bool,
    held: Option<Packet>,
}

impl Activity for Reversing {
    fn step(&mut self, turn: &mut Turn, _: &mut Context<'_>) -> Result<Step, Fault> {
        if self.held.is_none() {
            match turn.take(0) {
                Take::Packet(packet) => {
                    turn.push(packet);
                    return Ok(Step::Done);
                }
                Take::Empty if turn.is_spent() => return Ok(Step::More),
                Take::Empty => return Ok(Step::Wait),
                Take::End if self.pops => self.held = turn.pop(),
                Take::End => return Ok(Step::Done),
            }
        }
        if let Some(packet) = self.held.take()
            && let Give::Full(packet) = turn.give(0, packet)
        {
            self.held = Some(packet);
            return Ok(Step::Wait);
        }
        Ok(Step::Done)
    }
}

#[test]
fn a_stack_outlives_an_activation_and_is_worked_off() {
    bench("'5' -> COUNT G(Generate) OUT -> IN R(test/reverse) OUT -> IN P(test/pass)\nOUTPORT=P.OUT:OUT")
        .expect(&["000001abcd", "000002abcd", "000003abcd", "000004abcd", "000005abcd"]);
    bench("'3' -> COUNT O(test/orders) OUT -> IN R(test/reverse) OUT -> IN D(Drop)").every_way(
        |ran| {
            ran.succeeds();
            assert_eq!(counted(ran)[0], 18, "{:?}", ran.way);
        },
    );
}

#[test]
fn a_stack_that_is_never_worked_off_is_reported() {
    bench("'2' -> COUNT O(test/orders) OUT -> IN R(test/pile) OUT -> IN D(Drop)").every_way(
        |ran| {
            assert_eq!(ran.outcome.verdict, Verdict::Finished);
            let leaks = ran.outcome.leaks.iter();
            let leaks: Vec<_> = leaks
                .map(|leak| (&*leak.address, leak.packets, leak.on_stack, &*leak.origin))
                .collect();
            assert_eq!(leaks, [("R", 12, true, "test.fbp:1:39")], "{:?}", ran.way);
        },
    );
}

#[test]
fn headers_that_a_component_sets_travel_with_the_packet() {
    let text = "'2' -> COUNT O(test/orders) OUT -> IN S(test/stamp) OUT -> IN P(test/pass)
        P OUT -> IN H(test/headers)
        OUTPORT=H.OUT:OUT";
    bench(text).expect(&["one 2", "copy -", "one 2", "copy -"]);
    let twice = text.replace("P(test/pass)", "T(test/stamp) OUT -> IN P(test/pass)");
    bench(&twice).every_way(|ran| {
        let expected = ["one 2", "copy 2", "one 2", "copy -"];
        assert_eq!(
            ran.out["OUT"],
            [expected, expected].concat(),
            "{:?}",
            ran.way
        );
    });
}
