//! From likelihoods back to the gradients of all parameters, and the step along them.

use candle_core::Result;

use super::space::Space;
use super::{GpuFlow, THREADS, blocks_for};
use crate::ops::cuda::product::{Order, Product};
use crate::ops::cuda::{FLOW, int, launch, threads_for};

impl GpuFlow {
    /// The mean loss, and the gradient by the latent values, which takes their place.
    pub(super) fn judge(&self, space: &mut Space) -> Result<()> {
        let channels = int(self.sizes.channels)?;
        let function = self.load("mean_loss")?;
        launch!(
            function,
            (1, 1),
            THREADS,
            &space.likelihoods,
            &mut space.slopes,
            &mut space.loss,
            &mut space.slope_sum,
            &int(space.count)?,
            &channels,
        );
        let function = self.load("latent_gradient")?;
        launch!(
            function,
            (space.count, 1),
            threads_for(self.sizes.channels),
            &space.latent,
            &space.slopes,
            &mut space.travelling,
            &channels,
        );
        Ok(())
    }

    pub(super) fn backward(&self, space: &mut Space) -> Result<()> {
        let sizes = self.sizes;
        let (count, channels) = (space.count, sizes.channels);
        let (hidden, outputs, changed) = (sizes.hidden(), sizes.outputs(), sizes.changed());
        for block in (0..sizes.blocks).rev() {
            let start = block * sizes.parameters();
            let [w1, b1, w2, b2, ..] = sizes.places().map(|place| start + place);
            let part = |width: usize| block * count * width..(block + 1) * count * width;
            let mut behind = space.behind.slice_mut(part(channels));
            Product::full(
                (Order::AsIs, channels),
                (Order::AsIs, channels),
                channels,
                [count, channels, channels],
            )
            .run(
                &self.device,
                &space.travelling,
                &self.rotation(block),
                &mut behind,
            )?;
            let mut output = space.output.slice_mut(part(outputs));
            let function = self.load("uncouple")?;
            launch!(
                function,
                (count, 1),
                threads_for(changed),
                &mut behind,
                &space.input.slice(part(channels)),
                &mut output,
                &space.gains.slice(block * channels..),
                &space.log_scales.slice(part(changed)),
                &space.stretches.slice(part(changed)),
                &space.slopes,
                &mut space.travelling,
                &int(sizes.kept)?,
                &int(changed)?,
                &sizes.clamp,
            );
            let mut hidden_gradient = space.hidden_gradient.slice_mut(part(hidden));
            Product::full(
                (Order::AsIs, outputs),
                (Order::AsIs, hidden),
                hidden,
                [count, hidden, outputs],
            )
            .run(
                &self.device,
                &output,
                &self.parameters.slice(w2..b2),
                &mut hidden_gradient,
            )?;
            let function = self.load("unrectify")?;
            launch!(
                function,
                (count, 1),
                threads_for(hidden),
                &mut hidden_gradient,
                &space.hidden.slice(part(hidden)),
                &int(hidden)?,
            );
            if block > 0 {
                Product::full(
                    (Order::AsIs, hidden),
                    (Order::AsIs, sizes.inputs()),
                    channels,
                    [count, sizes.kept, hidden],
                )
                .adding()
                .run(
                    &self.device,
                    &hidden_gradient,
                    &self.parameters.slice(w1..b1),
                    &mut space.travelling,
                )?;
            }
        }
        Ok(())
    }

    /// The gradients of all parameters, of all blocks at once.
    pub(super) fn differentiate(&mut self, space: &Space) -> Result<()> {
        let sizes = self.sizes;
        let (count, channels, blocks) = (space.count, sizes.channels, sizes.blocks);
        let (hidden, outputs) = (sizes.hidden(), sizes.outputs());
        let stride = sizes.parameters();
        let [_, b1, w2, b2, scale, offset, _] = sizes.places();
        let device = self.device.clone();
        let first_layer = |width: usize, ld: usize| {
            Product::full(
                (Order::Turned, hidden),
                (Order::AsIs, ld),
                sizes.inputs(),
                [hidden, width, count],
            )
        };
        first_layer(sizes.kept, channels).run_batch(
            &device,
            (
                &space.hidden_gradient,
                &space.input,
                &mut self.gradient.slice_mut(0..),
            ),
            blocks,
            [count * hidden, count * channels, stride],
        )?;
        first_layer(2 * sizes.half, 2 * sizes.half).run_batch(
            &device,
            (
                &space.hidden_gradient,
                &space.codes,
                &mut self.gradient.slice_mut(sizes.kept..),
            ),
            blocks,
            [count * hidden, 0, stride],
        )?;
        Product::full(
            (Order::Turned, outputs),
            (Order::AsIs, hidden),
            hidden,
            [outputs, hidden, count],
        )
        .run_batch(
            &device,
            (
                &space.output,
                &space.hidden,
                &mut self.gradient.slice_mut(w2..),
            ),
            blocks,
            [count * outputs, count * hidden, stride],
        )?;
        for (values, width, place) in [
            (&space.hidden_gradient, hidden, b1),
            (&space.output, outputs, b2),
        ] {
            let function = self.load("column_sums")?;
            launch!(
                function,
                (width.div_ceil(THREADS), blocks),
                THREADS,
                values,
                &mut self.gradient.slice_mut(place..),
                &int(count)?,
                &int(width)?,
                &int(stride)?,
            );
        }
        let function = self.load("affine_gradients")?;
        let (mut by_scale, mut by_offset) = self.gradient.split_at_mut(offset);
        launch!(
            function,
            (channels.div_ceil(THREADS), blocks),
            THREADS,
            &space.behind,
            &space.input,
            &space.coupled,
            &self.parameters.slice(scale..),
            &space.gains,
            &space.slope_sum,
            &mut by_scale.slice_mut(scale..),
            &mut by_offset,
            &int(count)?,
            &int(sizes.kept)?,
            &int(sizes.changed())?,
            &int(stride)?,
        );
        Ok(())
    }

    pub(super) fn update(&mut self, space: &Space, rate: f32, correction: f32) -> Result<()> {
        let count = self.parameters.len();
        let function = FLOW.load(&self.device, "adam")?;
        let [first, second] = &mut self.moments;
        launch!(
            function,
            (blocks_for(count), 1),
            THREADS,
            &mut self.parameters,
            first,
            second,
            &self.gradient,
            &space.loss,
            &(count as i64),
            &rate,
            &correction,
        );
        Ok(())
    }
}
