//! The configured device, or a clear message why it cannot be had.

use anyhow::{Result, bail};
use candle_core::Device;

use crate::config::DeviceChoice;

/// Opens the device a run asked for. `Auto` never fails: it falls back to the CPU.
pub fn open_device(choice: DeviceChoice) -> Result<Device> {
    match choice {
        DeviceChoice::Cpu => Ok(Device::Cpu),
        DeviceChoice::Auto => Ok(Device::cuda_if_available(0).unwrap_or(Device::Cpu)),
        DeviceChoice::Cuda(_) if !candle_core::utils::cuda_is_available() => bail!(
            "this build of Flawscope has no GPU support; use `--device cpu`, or build it with `--features cuda`"
        ),
        DeviceChoice::Cuda(ordinal) => Device::new_cuda(ordinal).map_err(|error| {
            anyhow::anyhow!("GPU {ordinal} could not be opened ({error}); check the driver, or use `--device cpu`")
        }),
    }
}

/// How results name the device they were computed on.
pub fn device_name(device: &Device) -> &'static str {
    match device {
        Device::Cpu => "cpu",
        Device::Cuda(_) => "cuda",
        Device::Metal(_) => "metal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn automatic_choice_always_finds_a_device() {
        assert!(open_device(DeviceChoice::Auto).is_ok());
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn asking_for_a_gpu_without_gpu_support_says_what_to_do() {
        let message = open_device(DeviceChoice::Cuda(0)).unwrap_err().to_string();
        assert!(message.contains("--device cpu"), "{message}");
    }
}
