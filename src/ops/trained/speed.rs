//! How quick the operations are, beside candle's own convolution. Run by hand on a quiet machine:
//! `cargo test --release --lib ops::trained::speed -- --ignored --nocapture`

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::time::Instant;

    use candle_core::{DType, Result, Tensor, Var};

    use super::super::compare::noise;
    use super::super::{AfterNorm, Window, batch_norm, conv2d, upsample};

    /// Pictures of a batch.
    const BATCH: usize = 8;

    /// The quickest of some runs, in milliseconds: whatever else the machine does only adds to it.
    fn quickest(mut work: impl FnMut() -> Result<()>) -> Result<f64> {
        let mut least = f64::INFINITY;
        let begin = Instant::now();
        for run in 0..50 {
            if run > 4 && begin.elapsed().as_secs_f64() > 1.0 {
                break;
            }
            let start = Instant::now();
            work()?;
            least = least.min(start.elapsed().as_secs_f64() * 1e3);
        }
        Ok(least)
    }

    fn variable(dims: &[usize], salt: usize) -> Result<Var> {
        Var::from_tensor(&noise(dims, salt).to_dtype(DType::F32)?)
    }

    /// Milliseconds forward and backward. Backward stands beside a sum, whose own gradient is subtracted.
    fn both(inputs: &[&Var], work: impl Fn() -> Result<Tensor>) -> Result<[f64; 2]> {
        let forward = quickest(|| work().map(|result| drop(black_box(result))))?;
        let result = work()?;
        // What the sum and its gradient take, and adding each gradient to zeros, is candle's.
        let constant = Var::from_tensor(&result.detach())?;
        let sum = constant.sum_all()?;
        let bare = quickest(|| sum.backward().map(|found| drop(black_box(found))))?;
        let sum = result.sum_all()?;
        let backward = quickest(|| sum.backward().map(|found| drop(black_box(found))))?;
        let adding = quickest(|| {
            for input in inputs {
                black_box(input.zeros_like()?.add(input)?);
            }
            Ok(())
        })?;
        Ok([forward, backward - bare - adding])
    }

    struct Shape {
        channels: usize,
        out_channels: usize,
        side: usize,
        kernel: usize,
        window: Window,
    }

    impl Shape {
        fn new(channels: usize, out_channels: usize, side: usize, kernel: usize) -> Self {
            let window = Window {
                stride: 1,
                padding: kernel / 2,
                groups: 1,
            };
            Self {
                channels,
                out_channels,
                side,
                kernel,
                window,
            }
        }

        fn own(channels: usize, out_channels: usize, side: usize, kernel: usize) -> Self {
            let window = Window {
                stride: kernel - 1,
                padding: kernel / 2,
                groups: channels,
            };
            Self {
                window,
                ..Self::new(channels, out_channels, side, kernel)
            }
        }

        fn measure(&self, candle: Candle) -> Result<String> {
            let dims = [BATCH, self.channels, self.side, self.side];
            let group = self.channels / self.window.groups;
            let pixels = variable(&dims, 1)?;
            let weight = variable(&[self.out_channels, group, self.kernel, self.kernel], 2)?;
            let bias = variable(&[self.out_channels], 3)?;
            let inputs = [&pixels, &weight, &bias];
            let [forward, backward] =
                both(&inputs, || conv2d(&pixels, &weight, &bias, self.window))?;
            let outputs = (self.side / self.window.stride).pow(2) * BATCH * self.out_channels;
            let giga = (2 * outputs * group * self.kernel.pow(2)) as f64 * 1e-6;
            let ratio = match candle {
                Candle::Skipped => String::new(),
                Candle::Compared => {
                    let Window {
                        stride,
                        padding,
                        groups,
                    } = self.window;
                    let [plain_forward, plain_backward] = both(&inputs, || {
                        let result = pixels.conv2d(&weight, padding, stride, 1, groups)?;
                        result.broadcast_add(&bias.reshape((1, (), 1, 1))?)
                    })?;
                    let ratios = (plain_forward / forward, plain_backward / backward);
                    format!("{:>9.1}x {:>9.1}x", ratios.0, ratios.1)
                }
            };
            Ok(format!(
                "{}x{} {:>4} -> {:<4} @{:<4} {forward:>8.2} ms {:>6.1} {backward:>8.2} ms {:>6.1} {ratio}",
                self.kernel,
                self.kernel,
                self.channels,
                self.out_channels,
                self.side,
                giga / forward,
                2.0 * giga / backward,
            ))
        }
    }

    #[derive(Clone, Copy)]
    enum Candle {
        Compared,
        Skipped,
    }

    #[test]
    #[ignore = "a measurement, not a check"]
    #[expect(clippy::print_stdout, reason = "what it is for")]
    fn convolutions() -> Result<()> {
        println!(
            "batch of {BATCH}: forward, GFLOP/s, backward, GFLOP/s, candle's times divided by ours"
        );
        for (shape, candle) in [
            (Shape::new(32, 32, 64, 3), Candle::Compared),
            (Shape::new(128, 32, 64, 3), Candle::Skipped),
            (Shape::new(64, 64, 32, 3), Candle::Compared),
            (Shape::new(256, 64, 32, 3), Candle::Skipped),
            (Shape::new(128, 128, 16, 3), Candle::Compared),
            (Shape::new(512, 128, 16, 3), Candle::Skipped),
            (Shape::new(96, 32, 64, 3), Candle::Skipped),
            (Shape::new(16, 16, 256, 3), Candle::Skipped),
            (Shape::new(16, 1, 256, 3), Candle::Skipped),
            (Shape::new(32, 32, 64, 1), Candle::Compared),
            (Shape::new(128, 32, 64, 1), Candle::Skipped),
            (Shape::new(256, 64, 32, 1), Candle::Skipped),
            (Shape::new(512, 128, 16, 1), Candle::Skipped),
            (Shape::own(32, 64, 64, 3), Candle::Compared),
            (Shape::own(64, 256, 64, 5), Candle::Skipped),
            (Shape::new(512, 128, 64, 3), Candle::Skipped),
            (Shape::new(64, 64, 256, 3), Candle::Skipped),
        ] {
            println!("{}", shape.measure(candle)?);
        }
        Ok(())
    }

    #[test]
    #[ignore = "a measurement, not a check"]
    #[expect(clippy::print_stdout, reason = "what it is for")]
    fn norms_and_upsampling() -> Result<()> {
        for (channels, side) in [(32, 64), (128, 16), (16, 256), (64, 256)] {
            let pixels = variable(&[BATCH, channels, side, side], 1)?;
            let (gain, shift) = (variable(&[channels], 2)?, variable(&[channels], 3)?);
            let [forward, backward] = both(&[&pixels], || {
                batch_norm(&pixels, &gain, &shift, 1e-5, AfterNorm::Relu).map(|(output, _)| output)
            })?;
            println!(
                "norm and ReLU  {channels:>4} @{side:<4} {forward:>8.2} ms {backward:>8.2} ms"
            );
            let half = variable(&[BATCH, channels, side / 2, side / 2], 1)?;
            let [forward, backward] = both(&[&half], || upsample(&half, side, side))?;
            println!(
                "upsampling to  {channels:>4} @{side:<4} {forward:>8.2} ms {backward:>8.2} ms"
            );
        }
        Ok(())
    }
}
