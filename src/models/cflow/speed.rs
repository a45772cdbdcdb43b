//! How long a flow takes for 1,000 fibres, beside the same computation recorded by candle. Run by hand on a quiet machine:
//! `cargo test --release --lib cflow::speed -- --ignored --nocapture`

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use candle_core::Result;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::super::autograd;
    use super::super::clamp::Clamp;
    use super::super::closed_form;
    use super::super::condition::PositionCode;
    use super::super::fibres::{Fibres, Standard, TapValues, order};
    use super::super::flow::{Flow, FlowShape};
    use super::super::folded::FoldedFlow;
    use super::super::learn::fresh_moments;
    use super::super::workspace::Workspace;
    use crate::ops::adam::AdamStep;

    /// Fibres of one training step.
    const STEP: usize = 256;

    /// The median of some runs, in milliseconds for 1,000 fibres.
    fn median(fibres: usize, runs: usize, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
        let mut times = Vec::new();
        for _ in 0..=runs {
            let start = Instant::now();
            work()?;
            times.push(start.elapsed().as_secs_f64() * 1e6 / fibres as f64);
        }
        times.remove(0);
        times.sort_by(f64::total_cmp);
        Ok(times[times.len() / 2])
    }

    /// `[scoring, recorded forward, training step, recorded training step]` for a tap of 4 pictures.
    fn measure(channels: usize, side: usize) -> Result<[f64; 4]> {
        let shape = FlowShape {
            channels,
            condition: 128,
        };
        let mut flow = Flow::random(shape, 8, Clamp::Tanh, &mut ChaCha8Rng::seed_from_u64(1));
        let pictures = 4 * 32 * 32 / (side * side);
        let count = pictures * side * side;
        let values: Vec<f32> = (0..count * channels)
            .map(|i| (i as f32 * 0.618).sin())
            .collect();
        let standard = Standard {
            shift: vec![0.0; channels],
            factor: vec![1.0; channels],
        };
        let tap = TapValues {
            values: &values,
            channels,
            height: side,
            width: side,
            standard: &standard,
        };
        let code = PositionCode::sinusoidal(128, side, side);
        let chosen = order(count, 1, 0, 0, 0);
        let fibres = Fibres {
            tap,
            chosen: &chosen[..STEP],
        };
        let folded = FoldedFlow::new(&flow, &code);
        let scoring = median(count, 9, || {
            std::hint::black_box(folded.likelihoods(tap));
            Ok(())
        })?;
        let recorded_forward = median(STEP, 9, || {
            autograd::forward(&flow, &fibres, &code).map(|_| ())
        })?;
        let mut moments = fresh_moments(&flow);
        let mut space = Workspace::default();
        let adam = AdamStep::new(1e-6, 1);
        let step = median(STEP, 31, || {
            closed_form::step(&mut flow, &mut moments, &fibres, &code, &mut space, &adam);
            Ok(())
        })?;
        let recorded_step = median(STEP, 9, || {
            autograd::step(&mut flow, &mut moments, &fibres, &code, &adam).map(|_| ())
        })?;
        Ok([scoring, recorded_forward, step, recorded_step])
    }

    #[test]
    #[ignore = "a measurement, not a check"]
    fn milliseconds_for_1000_fibres() -> Result<()> {
        println!(
            "    C   scoring  autograd  ratio   training  autograd  ratio   (ms for 1,000 fibres)"
        );
        for (channels, side) in [(40, 32), (112, 16), (320, 8), (512, 8)] {
            let [scoring, forward, step, recorded] = measure(channels, side)?;
            println!(
                "{channels:>5} {scoring:>9.2} {forward:>9.1} {:>6.1} {step:>10.2} {recorded:>9.1} {:>6.1}",
                forward / scoring,
                recorded / step
            );
        }
        Ok(())
    }
}
