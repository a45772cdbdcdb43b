//! Keeps the frozen network's features of every training picture, so that it runs once per picture and not once per
//! epoch. Half precision: on the GPU that made them up to a budget, then in memory up to another, the rest in an unnamed
//! temporary file that vanishes with the cache.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

use anyhow::{Context, Result, ensure};
use candle_core::{DType, Device, Tensor};
use half::f16;
use half::slice::HalfFloatSliceExt;

/// Memory the cache may take before it spills to disk.
pub const DEFAULT_BUDGET_BYTES: usize = 3 << 30;

/// Encoded features by picture, in the order they were added.
pub struct FeatureCache {
    /// `(C, h, w)` of each tap; the same for all pictures.
    shapes: Vec<[usize; 3]>,
    /// The first pictures, on a GPU: their taps `(C, h, w)`, `f16`.
    on_gpu: Vec<Vec<Tensor>>,
    gpu_capacity: usize,
    gpu_budget_bytes: usize,
    /// The next ones.
    memory: Vec<Box<[f16]>>,
    capacity: usize,
    budget_bytes: usize,
    spill: Option<File>,
    spilled: usize,
}

impl FeatureCache {
    /// `gpu_budget_bytes` are for features that are made on a GPU.
    pub fn new(budget_bytes: usize, gpu_budget_bytes: usize) -> Self {
        Self {
            shapes: Vec::new(),
            on_gpu: Vec::new(),
            gpu_capacity: 0,
            gpu_budget_bytes,
            memory: Vec::new(),
            capacity: 0,
            budget_bytes,
            spill: None,
            spilled: 0,
        }
    }

    /// How many pictures are held.
    pub fn len(&self) -> usize {
        self.on_gpu.len() + self.memory.len() + self.spilled
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many of them are on disk.
    pub fn spilled(&self) -> usize {
        self.spilled
    }

    /// Adds the pictures of one encoded batch, taps `(B, C, h, w)`.
    pub fn push(&mut self, taps: &[Tensor]) -> Result<()> {
        let shapes = taps
            .iter()
            .map(|tap| tap.dims4().map(|(_, c, h, w)| [c, h, w]))
            .collect::<candle_core::Result<Vec<_>>>()?;
        if self.is_empty() {
            let bytes = 2 * shapes
                .iter()
                .map(|s| s.iter().product::<usize>())
                .sum::<usize>();
            self.capacity = self.budget_bytes / bytes.max(1);
            let is_made_here = taps.first().is_some_and(|tap| tap.device().is_cpu());
            if !is_made_here {
                self.gpu_capacity = self.gpu_budget_bytes / bytes.max(1);
            }
            self.shapes = shapes;
        } else {
            ensure!(
                shapes == self.shapes,
                "features changed their shape from {:?} to {shapes:?}",
                self.shapes
            );
        }
        let batch = taps.first().map_or(Ok(0), |tap| tap.dim(0))?;
        for index in 0..batch {
            self.push_picture(taps, index)?;
        }
        Ok(())
    }

    fn push_picture(&mut self, taps: &[Tensor], index: usize) -> Result<()> {
        if self.on_gpu.len() < self.gpu_capacity {
            let halves = taps.iter().map(|tap| tap.get(index)?.to_dtype(DType::F16));
            self.on_gpu
                .push(halves.collect::<candle_core::Result<_>>()?);
            return Ok(());
        }
        let mut halves = Vec::with_capacity(self.picture_len());
        for tap in taps {
            let values = tap.get(index)?.flatten_all()?.to_vec1::<f32>()?;
            let start = halves.len();
            halves.resize(start + values.len(), f16::ZERO);
            halves[start..].convert_from_f32_slice(&values);
        }
        if self.memory.len() < self.capacity {
            self.memory.push(halves.into_boxed_slice());
            return Ok(());
        }
        self.write_spilled(&halves)
            .context("keeping features on disk; free space in the folder for temporary files")
    }

    /// The features of `indices` as one batch of f32 taps `(B, C, h, w)` on `device`.
    pub fn batch(&mut self, indices: &[usize], device: &Device) -> Result<Vec<Tensor>> {
        let on_gpu: Option<Vec<&Vec<Tensor>>> = indices
            .iter()
            .map(|&index| self.on_gpu.get(index))
            .collect();
        match on_gpu.filter(|pictures| !pictures.is_empty()) {
            Some(pictures) => gathered(&pictures, device),
            None => self.batch_from_memory(indices, device),
        }
    }

    /// The same, where some of them are not on the GPU.
    fn batch_from_memory(&mut self, indices: &[usize], device: &Device) -> Result<Vec<Tensor>> {
        let shapes = self.shapes.clone();
        let mut taps: Vec<Vec<f32>> = shapes
            .iter()
            .map(|shape| Vec::with_capacity(indices.len() * shape.iter().product::<usize>()))
            .collect();
        for &index in indices {
            let halves = self.halves(index)?;
            let mut start = 0;
            for (tap, shape) in taps.iter_mut().zip(&shapes) {
                let len = shape.iter().product::<usize>();
                let filled = tap.len();
                tap.resize(filled + len, 0.0);
                halves[start..start + len].convert_to_f32_slice(&mut tap[filled..]);
                start += len;
            }
        }
        let tensors = taps.into_iter().zip(&shapes).map(|(values, &[c, h, w])| {
            Tensor::from_vec(values, (indices.len(), c, h, w), device) // (B, C, h, w)
        });
        Ok(tensors.collect::<candle_core::Result<_>>()?)
    }

    /// All taps of one picture, one after the other.
    fn halves(&mut self, index: usize) -> Result<Cow<'_, [f16]>> {
        if let Some(taps) = self.on_gpu.get(index) {
            let halves = taps.iter().map(|tap| tap.flatten_all()?.to_vec1::<f16>());
            let halves = halves.collect::<candle_core::Result<Vec<_>>>()?;
            return Ok(Cow::Owned(halves.concat()));
        }
        let index = index - self.on_gpu.len();
        match index.checked_sub(self.memory.len()) {
            None => Ok(Cow::Borrowed(&*self.memory[index])),
            Some(slot) => self
                .read_spilled(slot)
                .map(|halves| Cow::Owned(halves.into_vec()))
                .context("reading features back from disk"),
        }
    }

    /// Numbers per picture over all taps.
    fn picture_len(&self) -> usize {
        self.shapes
            .iter()
            .map(|shape| shape.iter().product::<usize>())
            .sum()
    }

    fn write_spilled(&mut self, halves: &[f16]) -> Result<()> {
        let file = match &mut self.spill {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        file.seek(SeekFrom::End(0))?;
        let bytes: Vec<u8> = halves
            .reinterpret_cast()
            .iter()
            .flat_map(|bits| bits.to_le_bytes())
            .collect();
        file.write_all(&bytes)?;
        self.spilled += 1;
        Ok(())
    }

    fn read_spilled(&mut self, slot: usize) -> Result<Box<[f16]>> {
        let mut bytes = vec![0; 2 * self.picture_len()];
        let file = self.spill.as_mut().context("no features were spilled")?;
        file.seek(SeekFrom::Start((slot * bytes.len()) as u64))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes
            .chunks_exact(2)
            .map(|pair| f16::from_le_bytes([pair[0], pair[1]]))
            .collect())
    }
}

/// Pictures' taps `(C, h, w)` as `f32` batches `(B, C, h, w)`.
fn gathered(pictures: &[&Vec<Tensor>], device: &Device) -> Result<Vec<Tensor>> {
    let taps = pictures.first().map_or(0, |taps| taps.len());
    let batches = (0..taps).map(|tap| {
        let own: Vec<&Tensor> = pictures.iter().map(|taps| &taps[tap]).collect();
        let halves = Tensor::stack(&own, 0)?.to_device(device)?;
        halves.to_dtype(DType::F32)
    });
    Ok(batches.collect::<candle_core::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two taps of a batch of `pictures`, all values exact in half precision.
    fn taps(first: usize, pictures: usize) -> Vec<Tensor> {
        let tap = |c: usize, h: usize, offset: usize| {
            let values = (0..pictures * c * h * h)
                .map(|i| ((first * 100 + offset + i) % 1000) as f32 * 0.25);
            Tensor::from_vec(
                values.collect::<Vec<_>>(),
                (pictures, c, h, h),
                &Device::Cpu,
            )
            .unwrap()
        };
        vec![tap(2, 4, 0), tap(3, 2, 7)]
    }

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn features_come_back_in_any_order_from_memory_and_from_disk() {
        let bytes_of_one = 2 * (2 * 16 + 3 * 4);
        let mut all = FeatureCache::new(usize::MAX, 0);
        let mut tight = FeatureCache::new(2 * bytes_of_one, 0);
        for first in 0..3 {
            all.push(&taps(first, 2)).unwrap();
            tight.push(&taps(first, 2)).unwrap();
        }
        assert_eq!((all.spilled(), tight.spilled(), tight.len()), (0, 4, 6));
        let order = [5, 0, 3, 1];
        let expected = all.batch(&order, &Device::Cpu).unwrap();
        let found = tight.batch(&order, &Device::Cpu).unwrap();
        assert_eq!(expected[0].dims(), [4, 2, 4, 4]);
        for (a, b) in expected.iter().zip(&found) {
            assert_eq!(values(a), values(b));
        }
        let alone = tight.batch(&[3], &Device::Cpu).unwrap();
        let original = taps(1, 2);
        assert_eq!(values(&alone[1]), values(&original[1].get(1).unwrap()));
    }

    #[test]
    fn a_batch_of_another_shape_is_refused() {
        let mut cache = FeatureCache::new(usize::MAX, 0);
        cache.push(&taps(0, 1)).unwrap();
        let other = vec![Tensor::zeros((1, 2, 4, 5), DType::F32, &Device::Cpu).unwrap()];
        assert!(cache.push(&other).is_err());
    }
}
