//! A conditional normalizing flow that lives on a GPU: its training step with the gradient written out, and likelihoods.
//! The formulas are those of `models::cflow::closed_form`; here they are stated for all fibres of a step at once, and what
//! no matrix product depends on waits until all blocks are done, so that a step is about a hundred launches.

mod backward;
mod forward;
mod space;

use candle_core::cuda_backend::CudaDevice;
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use candle_core::{Device, Result, Tensor, bail};

use super::{FLOW, Function, int, launch, room, tensor};
use space::{Fibres, Purpose, Space};

/// Fibres whose likelihoods are computed at once.
const SCORED_AT_ONCE: usize = 16 << 10;

/// Threads of blocks that go along a line.
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
            _ => Space::new(self.sizes, Purpose::Training, count, &self.device)?,
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
                _ => Space::new(self.sizes, Purpose::Scoring, count, &self.device)?,
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
}

/// Blocks that go along a line of so many numbers together.
fn blocks_for(count: usize) -> usize {
    count.div_ceil(THREADS).clamp(1, 2048)
}
