//! The trained part of PRN: fusion, self-attention, fusion, decoder.

use std::sync::Arc;

use candle_core::{Device, Result, Tensor, Var, bail};

use super::attention::Attention;
use super::config::{PrnConfig, Width};
use super::decoder::Decoder;
use super::fusion::Fusion;
use super::layers::{After, Builder, Folded, Layer, Pass, Running, Shape, Source};

/// The trained part and what it is made of.
pub struct Network {
    pub blocks: Blocks,
    layers: Vec<Arc<Layer>>,
    pub parameters: Vec<(String, Var)>,
    /// By the name of their norm.
    pub running: Vec<(String, Running)>,
}

/// From features and residuals of three scales and the deepest features to logits.
pub struct Blocks {
    /// 1x1 convolutions of each scale's features and residuals, where the network is narrower than the taps.
    narrow: Option<[[Arc<Layer>; 2]; 3]>,
    inner: Fusion,
    /// Modules in a row, by scale.
    attention: [Vec<Attention>; 3],
    outer: Fusion,
    decoder: Decoder,
}

/// The sizes a network is built for.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Channels of the four taps.
    pub channels: [usize; 4],
    /// `(h, w)` of the three finest taps.
    pub grids: [(usize, usize); 3],
}

impl Network {
    pub fn new(config: &PrnConfig, sizes: Sizes, source: Source, device: &Device) -> Result<Self> {
        let mut builder = Builder::new(source, device);
        let blocks = Blocks::new(config, sizes, &mut builder)?;
        let Builder {
            layers,
            parameters,
            running,
            ..
        } = builder;
        Ok(Self {
            blocks,
            layers,
            parameters,
            running,
        })
    }

    /// All weights and running statistics by name.
    pub fn tensors(&self) -> Vec<(String, Tensor)> {
        let weights = self.parameters.iter();
        let mut tensors: Vec<_> = weights
            .map(|(name, var)| (name.clone(), var.as_detached_tensor()))
            .collect();
        for (name, running) in &self.running {
            tensors.push((format!("{name}.running_mean"), running.mean.clone()));
            tensors.push((format!("{name}.running_var"), running.variance.clone()));
        }
        tensors
    }

    /// As scoring wants it.
    pub fn folded(&self) -> Result<Folded> {
        let running: Vec<Running> = self.running.iter().map(|(_, r)| r.clone()).collect();
        Folded::new(&self.layers, &running)
    }
}

impl Blocks {
    pub fn new(config: &PrnConfig, sizes: Sizes, builder: &mut Builder) -> Result<Self> {
        let [c1, c2, c3, c4] = sizes.channels;
        let (widths, narrow) = match config.width {
            Width::Taps => ([c1, c2, c3], None),
            Width::Reduced(widths) => (widths, Some(narrowing([c1, c2, c3], widths, builder)?)),
        };
        let inner = Fusion::new("fusion.inner", widths, builder)?;
        let joined = widths.map(|width| 2 * width);
        let mut modules = |scale: usize| -> Result<Vec<Attention>> {
            let (height, width) = sizes.grids[scale];
            let shape = (joined[scale], height, width);
            (0..config.attention_modules)
                .map(|module| {
                    let name = format!("attention.{}.{module}", scale + 1);
                    Attention::new(&name, config.attention, shape, builder)
                })
                .collect()
        };
        Ok(Self {
            narrow,
            inner,
            attention: [modules(0)?, modules(1)?, modules(2)?],
            outer: Fusion::new("fusion.outer", joined, builder)?,
            decoder: Decoder::new("decoder", widths, c4, builder)?,
        })
    }

    /// Logits `(B, 1, H, W)` for input of `size` pixels, from three scales' features and residuals `(B, C, h, w)` and the
    /// deepest tap.
    pub fn forward(
        &self,
        features: &[Tensor; 3],
        residuals: &[Tensor; 3],
        deepest: &Tensor,
        size: (usize, usize),
        pass: &mut Pass,
    ) -> Result<Tensor> {
        let features = self.narrowed(features, 0, pass)?;
        let residuals = self.narrowed(residuals, 1, pass)?;
        // One fusion for both, with the same weights.
        let features = self.inner.forward(&features, pass)?;
        let residuals = self.inner.forward(&residuals, pass)?;
        let mut joined = Vec::with_capacity(3);
        for (scale, modules) in self.attention.iter().enumerate() {
            let mut trunk = Tensor::cat(&[&features[scale], &residuals[scale]], 1)?;
            for module in modules {
                trunk = module.forward(&trunk, pass)?;
            }
            joined.push(trunk);
        }
        let Ok(joined) = <[Tensor; 3]>::try_from(joined) else {
            bail!("PRN has three scales")
        };
        let fused = self.outer.forward(&joined, pass)?;
        self.decoder.forward(&fused, deepest, size, pass)
    }

    fn narrowed(&self, scales: &[Tensor; 3], part: usize, pass: &mut Pass) -> Result<[Tensor; 3]> {
        let Some(narrow) = &self.narrow else {
            return Ok(scales.clone());
        };
        let mut run =
            |scale: usize| narrow[scale][part].forward(&scales[scale], After::Nothing, pass);
        Ok([run(0)?, run(1)?, run(2)?])
    }
}

fn narrowing(
    channels: [usize; 3],
    widths: [usize; 3],
    builder: &mut Builder,
) -> Result<[[Arc<Layer>; 2]; 3]> {
    let mut pair = |scale: usize| -> Result<[Arc<Layer>; 2]> {
        let shape = Shape::dense(channels[scale], widths[scale], 1);
        let name = |part: &str| format!("narrow.{}.{part}", scale + 1);
        Ok([
            builder.conv(&name("features"), shape)?,
            builder.conv(&name("residuals"), shape)?,
        ])
    };
    Ok([pair(0)?, pair(1)?, pair(2)?])
}
