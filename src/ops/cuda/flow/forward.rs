//! From a tap to likelihoods.

use candle_core::cuda_backend::cudarc::driver::CudaView;
use candle_core::{Result, Tensor};

use super::space::{Fibres, Purpose, Space};
use super::{GpuFlow, THREADS};
use crate::ops::cuda::product::{Order, Product};
use crate::ops::cuda::{int, launch, room, threads_for, with_numbers};

/// Fibres that a block of the kernel `gather` takes.
const GATHERED: usize = 32;

impl GpuFlow {
    /// From a tap to likelihoods. `space` keeps what the way back needs where it has room for all blocks.
    pub(super) fn forward(&self, tap: &Tensor, fibres: &Fibres, space: &mut Space) -> Result<()> {
        self.gather(tap, fibres, space)?;
        self.gains(space)?;
        self.condition(space)?;
        for block in 0..self.sizes.blocks {
            self.forward_block(block, space)?;
        }
        let function = self.load("likelihood")?;
        launch!(
            function,
            (space.count, 1),
            threads_for(self.sizes.channels),
            &space.latent,
            &space.log_det,
            &space.log_gain,
            &mut space.likelihoods,
            &int(self.sizes.channels)?,
        );
        Ok(())
    }

    fn gather(&self, tap: &Tensor, fibres: &Fibres, space: &mut Space) -> Result<()> {
        let sizes = self.sizes;
        let (is_chosen, start) = match fibres {
            Fibres::Chosen(_) => (1, 0),
            Fibres::From(start) => (0, *start),
        };
        // Where none are chosen nothing is read from what stands in their place.
        let nothing = room::<u32>(&self.device, 1)?;
        let chosen = match fibres {
            Fibres::Chosen(chosen) => chosen,
            Fibres::From(_) => &nothing,
        };
        with_numbers::<f32, _>(tap, |tap, _| {
            let function = self.load("gather")?;
            launch!(
                function,
                (space.count.div_ceil(GATHERED), 1),
                THREADS,
                tap,
                chosen,
                &self.standard[0],
                &self.standard[1],
                &self.codes[0],
                &self.codes[1],
                &mut space.latent,
                &mut space.codes,
                &int(space.count)?,
                &is_chosen,
                &start,
                &int(sizes.channels)?,
                &int(sizes.grid.0)?,
                &int(sizes.grid.1)?,
                &int(sizes.half)?,
            );
            Ok(())
        })
    }

    fn gains(&self, space: &mut Space) -> Result<()> {
        let sizes = self.sizes;
        let scales = self.parameters.slice(sizes.places()[4]..);
        let function = self.load("gains")?;
        launch!(
            function,
            (1, 1),
            1024,
            &scales,
            &mut space.gains,
            &mut space.log_gain,
            &int(sizes.channels)?,
            &int(sizes.blocks)?,
            &int(sizes.parameters())?,
        );
        Ok(())
    }

    /// The first layers' shares of the position codes, of all blocks at once where all are kept.
    fn condition(&self, space: &mut Space) -> Result<()> {
        if space.purpose == Purpose::Training {
            let sizes = self.sizes;
            let product = Product::full(
                (Order::AsIs, 2 * sizes.half),
                (Order::Turned, sizes.inputs()),
                sizes.hidden(),
                [space.count, sizes.hidden(), 2 * sizes.half],
            );
            let weights = self.parameters.slice(sizes.kept..);
            let strides = [0, sizes.parameters(), space.count * sizes.hidden()];
            product.run_batch(
                &self.device,
                (&space.codes, &weights, &mut space.hidden),
                sizes.blocks,
                strides,
            )?;
        }
        Ok(())
    }

    fn forward_block(&self, block: usize, space: &mut Space) -> Result<()> {
        let sizes = self.sizes;
        let (count, channels) = (space.count, sizes.channels);
        let (hidden, outputs, changed) = (sizes.hidden(), sizes.outputs(), sizes.changed());
        let start = block * sizes.parameters();
        let [w1, b1, w2, b2, _, offset, _] = sizes.places().map(|place| start + place);
        // What is not kept is written over by every block.
        let own = match space.purpose {
            Purpose::Training => block,
            Purpose::Scoring => 0,
        };
        let part = |width: usize| own * count * width..(own + 1) * count * width;

        let mut input = space.input.slice_mut(part(channels));
        self.device.memcpy_dtod(&space.latent, &mut input)?;
        let mut hidden_rows = space.hidden.slice_mut(part(hidden));
        if space.purpose == Purpose::Scoring {
            Product::full(
                (Order::AsIs, 2 * sizes.half),
                (Order::Turned, sizes.inputs()),
                hidden,
                [count, hidden, 2 * sizes.half],
            )
            .run(
                &self.device,
                &space.codes,
                &self.parameters.slice(w1 + sizes.kept..b1),
                &mut hidden_rows,
            )?;
        }
        Product::full(
            (Order::AsIs, channels),
            (Order::Turned, sizes.inputs()),
            hidden,
            [count, hidden, sizes.kept],
        )
        .adding()
        .run(
            &self.device,
            &space.latent,
            &self.parameters.slice(w1..b1),
            &mut hidden_rows,
        )?;
        let function = self.load("rectify")?;
        launch!(
            function,
            (count, 1),
            threads_for(hidden),
            &mut hidden_rows,
            &self.parameters.slice(b1..w2),
            &int(hidden)?,
        );
        let mut output = space.output.slice_mut(part(outputs));
        Product::full(
            (Order::AsIs, hidden),
            (Order::Turned, hidden),
            outputs,
            [count, outputs, hidden],
        )
        .run(
            &self.device,
            &hidden_rows,
            &self.parameters.slice(w2..b2),
            &mut output,
        )?;
        let function = self.load("couple")?;
        launch!(
            function,
            (count, 1),
            threads_for(changed),
            &mut input,
            &mut output,
            &self.parameters.slice(b2..),
            &space.gains.slice(block * channels..),
            &self.parameters.slice(offset..),
            &mut space.log_scales.slice_mut(part(changed)),
            &mut space.stretches.slice_mut(part(changed)),
            &mut space.coupled.slice_mut(part(changed)),
            &mut space.unrotated,
            &mut space.log_det,
            &int(sizes.kept)?,
            &int(changed)?,
            &sizes.clamp,
            &i32::from(block == 0),
        );
        Product::full(
            (Order::AsIs, channels),
            (Order::Turned, channels),
            channels,
            [count, channels, channels],
        )
        .run(
            &self.device,
            &space.unrotated,
            &self.rotation(block),
            &mut space.latent,
        )
    }

    pub(super) fn rotation(&self, block: usize) -> CudaView<'_, f32> {
        let square = self.sizes.channels * self.sizes.channels;
        self.rotations.slice(block * square..(block + 1) * square)
    }
}
