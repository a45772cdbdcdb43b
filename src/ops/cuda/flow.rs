//! A conditional normalizing flow that lives on a GPU: its training step with the gradient written out, and likelihoods.
//! The formulas are those of `models::cflow::closed_form`; here they are stated for all fibres of a step at once, and what
//! no matrix product depends on waits until all blocks are done, so that a step is about a hundred launches.

use candle_core::cuda_backend::CudaDevice;
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaView};
use candle_core::{Device, Result, Tensor, bail};

use super::product::{Order, Precision, Product};
use super::{FLOW, Function, int, launch, room, tensor, threads_for, with_numbers};

/// Fibres whose likelihoods are computed at once.
const SCORED_AT_ONCE: usize = 16 << 10;

/// Fibres that a block of the kernel `gather` takes, and threads of blocks that go along a line.
const GATHERED: usize = 32;
const THREADS: usize = 256;

/// Sizes of a flow and of the grid its fibres come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowSizes {
    /// C, the first `kept` of which pass a coupling unchanged.
    pub channels: usize,
    pub kept: usize,
    /// Length of the code of a row, and of that of a column.
    pub half: usize,
    pub blocks: usize,
    /// Rows and columns.
    pub grid: (usize, usize),
    /// As in the kernels: 0 tanh, 1 scaled tanh, 2 arctan.
    pub clamp: i32,
}

impl FlowSizes {
    fn changed(self) -> usize {
        self.channels - self.kept
    }

    fn inputs(self) -> usize {
        self.kept + 2 * self.half
    }

    fn hidden(self) -> usize {
        2 * self.inputs()
    }

    fn outputs(self) -> usize {
        2 * self.changed()
    }

    /// Where a block's weights, biases, raw global scales and offsets begin, and where they end.
    fn places(self) -> [usize; 7] {
        let lengths = [
            self.hidden() * self.inputs(),
            self.hidden(),
            self.outputs() * self.hidden(),
            self.outputs(),
            self.channels,
            self.channels,
        ];
        let mut places = [0; 7];
        for (index, length) in lengths.into_iter().enumerate() {
            places[index + 1] = places[index] + length;
        }
        places
    }

    /// Trained numbers of a block.
    fn parameters(self) -> usize {
        self.places()[6]
    }

    fn cells(self) -> usize {
        self.grid.0 * self.grid.1
    }
}

/// What a flow on a GPU is made of, in the order of its blocks.
pub struct FlowNumbers<'a> {
    /// First weight `(hidden, inputs)` and bias, second weight `(outputs, hidden)` and bias, raw global scale, offset: one
    /// block's after the other.
    pub parameters: Vec<f32>,
    /// Adam's two moments, in the same order; empty: none yet.
    pub moments: [Vec<f32>; 2],
    /// `(C, C)` each.
    pub rotations: Vec<f32>,
    /// Codes `(h, half)` and `(w, half)`.
    pub codes: [&'a [f32]; 2],
    /// What is taken off each channel, and the factor after that.
    pub standard: [&'a [f32]; 2],
}

/// A flow on a GPU.
pub struct GpuFlow {
    sizes: FlowSizes,
    device: CudaDevice,
    parameters: CudaSlice<f32>,
    moments: [CudaSlice<f32>; 2],
    rotations: CudaSlice<f32>,
    codes: [CudaSlice<f32>; 2],
    standard: [CudaSlice<f32>; 2],
    gradient: CudaSlice<f32>,
    space: Option<Space>,
}

impl GpuFlow {
    pub fn new(sizes: FlowSizes, numbers: FlowNumbers, device: &Device) -> Result<Self> {
        let device = device.as_cuda_device()?.clone();
        let count = sizes.blocks * sizes.parameters();
        let FlowNumbers {
            parameters,
            moments,
            rotations,
            codes: [rows, columns],
            standard: [shift, factor],
        } = numbers;
        let fits = parameters.len() == count
            && rotations.len() == sizes.blocks * sizes.channels * sizes.channels
            && rows.len() == sizes.grid.0 * sizes.half
            && columns.len() == sizes.grid.1 * sizes.half
            && [shift.len(), factor.len()] == [sizes.channels; 2]
            && moments.iter().all(|m| m.is_empty() || m.len() == count);
        if !fits || count == 0 {
            bail!("a flow's numbers do not fit its sizes {sizes:?}");
        }
        let [first, second] = moments.map(|moment| {
            if moment.is_empty() {
                device.alloc_zeros::<f32>(count)
            } else {
                device.clone_htod(&moment)
            }
        });
        Ok(Self {
            parameters: device.clone_htod(&parameters)?,
            moments: [first?, second?],
            rotations: device.clone_htod(&rotations)?,
            codes: [device.clone_htod(rows)?, device.clone_htod(columns)?],
            standard: [device.clone_htod(shift)?, device.clone_htod(factor)?],
            gradient: device.alloc_zeros::<f32>(count)?,
            space: None,
            sizes,
            device,
        })
    }

    /// The trained numbers as they are now, in the order of [`FlowNumbers::parameters`].
    pub fn parameters(&self) -> Result<Vec<f32>> {
        self.device.clone_dtoh(&self.parameters)
    }

    /// Adam's two moments as they are now.
    pub fn moments(&self) -> Result<[Vec<f32>; 2]> {
        let [first, second] = &self.moments;
        Ok([
            self.device.clone_dtoh(first)?,
            self.device.clone_dtoh(second)?,
        ])
    }

    /// One step of Adam on the chosen fibres of `tap` (B, C, h, w), numbered picture by picture and row by row; the mean loss
    /// before it. With a loss that is not a number nothing changes. `rate` and `correction` as in
    /// [`crate::ops::adam::AdamStep`].
    pub fn step(
        &mut self,
        tap: &Tensor,
        chosen: &[u32],
        (rate, correction): (f32, f32),
    ) -> Result<f64> {
        let pictures = self.check_tap(tap)?;
        let count = chosen.len();
        let limit = pictures * self.sizes.cells();
        if count == 0 || chosen.iter().any(|&fibre| fibre as usize >= limit) {
            bail!("fibres that are not in the batch");
        }
        let mut space = match self.space.take() {
            Some(space) if space.count == count => space,
            _ => Space::new(self.sizes, self.sizes.blocks, count, &self.device)?,
        };
        let chosen = self.device.clone_htod(chosen)?;
        self.forward(tap, &Fibres::Chosen(&chosen), &mut space)?;
        self.judge(&mut space)?;
        self.backward(&mut space)?;
        self.differentiate(&space)?;
        self.update(&space, rate, correction)?;
        let loss = self.device.clone_dtoh(&space.loss)?;
        self.space = Some(space);
        Ok(loss[0])
    }

    /// Many steps without a gradient; the factors are those of [`crate::ops::adam::IdleSteps`].
    pub fn drift(&mut self, push: f32, [fade_first, fade_second]: [f32; 2]) -> Result<()> {
        let count = self.parameters.len();
        let [first, second] = &mut self.moments;
        let function = FLOW.load(&self.device, "drift")?;
        launch!(
            function,
            (blocks_for(count), 1),
            THREADS,
            &mut self.parameters,
            first,
            second,
            &(count as i64),
            &push,
            &fade_first,
            &fade_second,
        );
        Ok(())
    }

    /// Log-likelihood per dimension of every fibre of `tap` (B, C, h, w): picture by picture, row by row.
    pub fn likelihoods(&self, tap: &Tensor) -> Result<Vec<f64>> {
        let mut likelihoods = Vec::new();
        self.each_part(tap, |space, _| {
            likelihoods.extend(self.device.clone_dtoh(&space.likelihoods)?);
            Ok(())
        })?;
        Ok(likelihoods)
    }

    /// `exp(likelihood - maximum)`, at most 1, of every fibre of `tap` (B, C, h, w): `(B, h, w)`, on the GPU.
    pub fn shares(&self, tap: &Tensor, maximum: f64) -> Result<Tensor> {
        let pictures = self.check_tap(tap)?;
        let (height, width) = self.sizes.grid;
        let mut shares = room::<f32>(&self.device, pictures * height * width)?;
        self.each_part(tap, |space, start| {
            let function = self.load("shares")?;
            launch!(
                function,
                (space.count.div_ceil(THREADS), 1),
                THREADS,
                &space.likelihoods,
                &mut shares.slice_mut(start..start + space.count),
                &int(space.count)?,
                &maximum,
            );
            Ok(())
        })?;
        Ok(tensor(shares, &self.device, (pictures, height, width)))
    }

    /// Computes the likelihoods of all fibres, a part of them at a time, and hands each part over with the number of its
    /// first fibre.
    fn each_part(
        &self,
        tap: &Tensor,
        mut work: impl FnMut(&Space, usize) -> Result<()>,
    ) -> Result<()> {
        let all = self.check_tap(tap)? * self.sizes.cells();
        let mut last: Option<Space> = None;
        for start in (0..all).step_by(SCORED_AT_ONCE) {
            let count = SCORED_AT_ONCE.min(all - start);
            let mut space = match last.take() {
                Some(space) if space.count == count => space,
                _ => Space::new(self.sizes, 1, count, &self.device)?,
            };
            self.forward(tap, &Fibres::From(start as u32), &mut space)?;
            work(&space, start)?;
            last = Some(space);
        }
        Ok(())
    }

    /// How many pictures there are.
    fn check_tap(&self, tap: &Tensor) -> Result<usize> {
        let (pictures, channels, height, width) = tap.dims4()?;
        if channels != self.sizes.channels || (height, width) != self.sizes.grid {
            bail!("a tap {:?} for a flow of {:?}", tap.dims(), self.sizes);
        }
        Ok(pictures)
    }

    fn load(&self, kernel: &str) -> Result<Function> {
        FLOW.load(&self.device, kernel)
    }

    /// From a tap to likelihoods. `space` keeps what the way back needs where it has room for all blocks.
    fn forward(&self, tap: &Tensor, fibres: &Fibres, space: &mut Space) -> Result<()> {
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
        if space.kept_blocks > 1 {
            let sizes = self.sizes;
            let product = Product {
                a: (Order::AsIs, 2 * sizes.half),
                b: (Order::Turned, sizes.inputs()),
                c: sizes.hidden(),
                sizes: [space.count, sizes.hidden(), 2 * sizes.half],
                beta: 0.0,
                precision: Precision::Full,
            };
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
        let own = if space.kept_blocks > 1 { block } else { 0 };
        let part = |width: usize| own * count * width..(own + 1) * count * width;

        let mut input = space.input.slice_mut(part(channels));
        self.device.memcpy_dtod(&space.latent, &mut input)?;
        let mut hidden_rows = space.hidden.slice_mut(part(hidden));
        if space.kept_blocks == 1 {
            Product {
                a: (Order::AsIs, 2 * sizes.half),
                b: (Order::Turned, sizes.inputs()),
                c: hidden,
                sizes: [count, hidden, 2 * sizes.half],
                beta: 0.0,
                precision: Precision::Full,
            }
            .run(
                &self.device,
                &space.codes,
                &self.parameters.slice(w1 + sizes.kept..b1),
                &mut hidden_rows,
            )?;
        }
        Product {
            a: (Order::AsIs, channels),
            b: (Order::Turned, sizes.inputs()),
            c: hidden,
            sizes: [count, hidden, sizes.kept],
            beta: 1.0,
            precision: Precision::Full,
        }
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
        Product {
            a: (Order::AsIs, hidden),
            b: (Order::Turned, hidden),
            c: outputs,
            sizes: [count, outputs, hidden],
            beta: 0.0,
            precision: Precision::Full,
        }
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
        Product {
            a: (Order::AsIs, channels),
            b: (Order::Turned, channels),
            c: channels,
            sizes: [count, channels, channels],
            beta: 0.0,
            precision: Precision::Full,
        }
        .run(
            &self.device,
            &space.unrotated,
            &self.rotation(block),
            &mut space.latent,
        )
    }

    fn rotation(&self, block: usize) -> CudaView<'_, f32> {
        let square = self.sizes.channels * self.sizes.channels;
        self.rotations.slice(block * square..(block + 1) * square)
    }

    /// The mean loss, and the gradient by the latent values, which takes their place.
    fn judge(&self, space: &mut Space) -> Result<()> {
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

    fn backward(&self, space: &mut Space) -> Result<()> {
        let sizes = self.sizes;
        let (count, channels) = (space.count, sizes.channels);
        let (hidden, outputs, changed) = (sizes.hidden(), sizes.outputs(), sizes.changed());
        for block in (0..sizes.blocks).rev() {
            let start = block * sizes.parameters();
            let [w1, b1, w2, b2, ..] = sizes.places().map(|place| start + place);
            let part = |width: usize| block * count * width..(block + 1) * count * width;
            let mut behind = space.behind.slice_mut(part(channels));
            Product {
                a: (Order::AsIs, channels),
                b: (Order::AsIs, channels),
                c: channels,
                sizes: [count, channels, channels],
                beta: 0.0,
                precision: Precision::Full,
            }
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
            Product {
                a: (Order::AsIs, outputs),
                b: (Order::AsIs, hidden),
                c: hidden,
                sizes: [count, hidden, outputs],
                beta: 0.0,
                precision: Precision::Full,
            }
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
                Product {
                    a: (Order::AsIs, hidden),
                    b: (Order::AsIs, sizes.inputs()),
                    c: channels,
                    sizes: [count, sizes.kept, hidden],
                    beta: 1.0,
                    precision: Precision::Full,
                }
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
    fn differentiate(&mut self, space: &Space) -> Result<()> {
        let sizes = self.sizes;
        let (count, channels, blocks) = (space.count, sizes.channels, sizes.blocks);
        let (hidden, outputs) = (sizes.hidden(), sizes.outputs());
        let stride = sizes.parameters();
        let [_, b1, w2, b2, scale, offset, _] = sizes.places();
        let device = self.device.clone();
        let first_layer = |width: usize, ld: usize| Product {
            a: (Order::Turned, hidden),
            b: (Order::AsIs, ld),
            c: sizes.inputs(),
            sizes: [hidden, width, count],
            beta: 0.0,
            precision: Precision::Full,
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
        Product {
            a: (Order::Turned, outputs),
            b: (Order::AsIs, hidden),
            c: hidden,
            sizes: [outputs, hidden, count],
            beta: 0.0,
            precision: Precision::Full,
        }
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

    fn update(&mut self, space: &Space, rate: f32, correction: f32) -> Result<()> {
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

/// Blocks that go along a line of so many numbers together.
fn blocks_for(count: usize) -> usize {
    count.div_ceil(THREADS).clamp(1, 2048)
}

/// Which fibres of a tap.
enum Fibres<'a> {
    Chosen(&'a CudaSlice<u32>),
    /// Those from this one on.
    From(u32),
}

/// Room for `count` fibres on their way. What has a first dimension of blocks has one of 1 where only likelihoods are
/// wanted.
struct Space {
    count: usize,
    kept_blocks: usize,
    /// `(N, C)`: what goes into the next block.
    latent: CudaSlice<f32>,
    unrotated: CudaSlice<f32>,
    /// `(N, C)`: the gradient by it.
    travelling: CudaSlice<f32>,
    /// `(N, 2 half)`.
    codes: CudaSlice<f32>,
    /// `(blocks, N, C)`.
    input: CudaSlice<f32>,
    /// `(blocks, N, C)`: gradients behind the global affine.
    behind: CudaSlice<f32>,
    /// `(blocks, N, hidden)`.
    hidden: CudaSlice<f32>,
    hidden_gradient: CudaSlice<f32>,
    /// `(blocks, N, outputs)`: the subnet's result, then the gradient by it.
    output: CudaSlice<f32>,
    /// `(blocks, N, changed)`.
    log_scales: CudaSlice<f32>,
    stretches: CudaSlice<f32>,
    coupled: CudaSlice<f32>,
    /// `(all blocks, C)`.
    gains: CudaSlice<f32>,
    log_gain: CudaSlice<f64>,
    /// `(N,)`.
    log_det: CudaSlice<f64>,
    likelihoods: CudaSlice<f64>,
    slopes: CudaSlice<f32>,
    loss: CudaSlice<f64>,
    slope_sum: CudaSlice<f32>,
}

impl Space {
    fn new(
        sizes: FlowSizes,
        kept_blocks: usize,
        count: usize,
        device: &CudaDevice,
    ) -> Result<Self> {
        let kept = kept_blocks * count;
        // Only training goes back.
        let back = if kept_blocks > 1 { kept } else { 1 };
        let floats = |size: usize| room::<f32>(device, size);
        Ok(Self {
            count,
            kept_blocks,
            latent: floats(count * sizes.channels)?,
            unrotated: floats(count * sizes.channels)?,
            travelling: floats(count * sizes.channels)?,
            codes: floats(count * 2 * sizes.half)?,
            input: floats(kept * sizes.channels)?,
            behind: floats(back * sizes.channels)?,
            hidden: floats(kept * sizes.hidden())?,
            hidden_gradient: floats(back * sizes.hidden())?,
            output: floats(kept * sizes.outputs())?,
            log_scales: floats(kept * sizes.changed())?,
            stretches: floats(kept * sizes.changed())?,
            coupled: floats(kept * sizes.changed())?,
            gains: floats(sizes.blocks * sizes.channels)?,
            log_gain: room(device, 1)?,
            log_det: room(device, count)?,
            likelihoods: room(device, count)?,
            slopes: floats(count)?,
            loss: room(device, 1)?,
            slope_sum: floats(1)?,
        })
    }
}
