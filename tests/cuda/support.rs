//! The GPU, if there is one; numbers by formulas; and how close two results must be.

use std::sync::OnceLock;

use candle_core::{DType, Device, Tensor};
use flawscope::ops::cuda;

/// The first GPU. `None`, with a line, where there is none and none is required.
pub fn gpu() -> Option<Device> {
    static GPU: OnceLock<Option<Device>> = OnceLock::new();
    GPU.get_or_init(|| match cuda::devices() {
        Ok(devices) if !devices.is_empty() => Some(cuda::open(0).unwrap()),
        found => {
            let required = std::env::var_os("FLAWSCOPE_REQUIRE_CUDA").is_some_and(|v| v == "1");
            assert!(!required, "a GPU is required, but: {found:?}");
            eprintln!("skipped: no GPU ({found:?})");
            None
        }
    })
    .clone()
}

/// Numbers between -1 and 1 without a pattern a wrong index could hide in.
pub fn noise(dims: &[usize], salt: usize) -> Tensor {
    let count = dims.iter().product::<usize>();
    let values: Vec<f32> = (0..count)
        .map(|i| (((i * 7919 + salt * 104_729) as f64 * 0.618).sin()) as f32)
        .collect();
    Tensor::from_vec(values, dims, &Device::Cpu).unwrap()
}

/// Numbers between -1 and 1 as if drawn: sums of many do not cancel.
pub fn drawn(dims: &[usize], salt: usize) -> Tensor {
    let count = dims.iter().product::<usize>();
    let value = |index: u32| {
        let mut x = index.wrapping_mul(0x9E37_79B1).wrapping_add(salt as u32);
        x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
        x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
        x ^= x >> 16;
        (x >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    Tensor::from_vec((0..count as u32).map(value).collect(), dims, &Device::Cpu).unwrap()
}

pub fn values(tensor: &Tensor) -> Vec<f64> {
    let flat = tensor
        .to_device(&Device::Cpu)
        .unwrap()
        .flatten_all()
        .unwrap();
    flat.to_dtype(DType::F64).unwrap().to_vec1().unwrap()
}

/// `allowed` is relative to the largest expected number.
pub fn assert_close(found: &Tensor, expected: &Tensor, allowed: f64, what: &str) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let (found, expected) = (values(found), values(expected));
    let size = expected.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let difference = (found - expected).abs();
        assert!(
            difference <= allowed * size,
            "{what}: {found} instead of {expected} at {place}, largest {size}"
        );
    }
}

/// `allowed` is the norm of the difference, relative to that of what was expected.
pub fn assert_near(found: &Tensor, expected: &Tensor, allowed: f64, what: &str) {
    assert_eq!(found.dims(), expected.dims(), "{what}");
    let (found, expected) = (values(found), values(expected));
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let off = norm(&mut found.iter().zip(&expected).map(|(f, e)| f - e));
    let size = norm(&mut expected.iter().copied());
    // Not-a-number is never near.
    assert!(off <= allowed * size, "{what}: off by {off} of {size}");
}
