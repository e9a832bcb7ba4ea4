//! Random networks, run for a long time: nothing may be lost, overtaken, received twice or stuck.
//!
//! A network is drawn from a number, its seed, so what went wrong can be drawn again. Sources send
//! their own number with each packet; sinks see to it that the packets of each source come in order.
//! Every packet takes one path to each sink, so order is promised.

mod components;
mod dice;
mod draw;
mod run;

pub use dice::Dice;
pub use draw::{Drawing, Ending};
pub use run::{Ran, run};

#[cfg(test)]
mod tests {
    use super::draw::{SINKS, SOURCES};
    use super::*;

    #[test]
    fn random_networks_lose_nothing_and_overtake_nothing() {
        for seed in 0..40 {
            let drawing = Drawing::new(seed, 2_000);
            run(&drawing).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_network() {
        let [one, two] = [7, 7].map(|seed| Drawing::new(seed, 1000));
        assert_eq!(one.plan, two.plan);
        assert_ne!(one.plan, Drawing::new(8, 1000).plan);
    }

    #[test]
    fn a_packet_that_is_overtaken_is_noticed() {
        let drawings = (0..).map(|seed| Drawing::new(seed, 1000));
        let is_merged = |drawing: &Drawing| {
            let count = |names: &[&str]| {
                let processes = drawing.plan.processes.iter();
                processes
                    .filter(|process| names.contains(&process.component.as_str()))
                    .count()
            };
            drawing.ending == Ending::Dry && count(&SOURCES) > 2 && count(&SINKS) == 1
        };
        let mut drawing = drawings.into_iter().find(is_merged).expect("there is one");
        run(&drawing).expect("each source has its own number");
        drawing.give_all_sources_one_number();
        let error = run(&drawing).expect_err("all sources have the same number");
        assert!(error.to_string().contains("came after"), "{error}");
    }
}
