//! Which devices there are, and the configured one: opened, or a clear message why it cannot be had.

use anyhow::{Result, bail};
use candle_core::Device;

use crate::config::{DeviceChoice, ModelName};

/// A GPU with less free memory than this cannot hold the smallest network and a picture.
const LEAST_FREE_BYTES: usize = 512 << 20;

/// Why PRN is left out where the others run on a GPU.
pub const PRN_ON_CPU: &str = "PRN does not run on a GPU yet";

const NO_SUPPORT: &str = "this build of Flawscope has no GPU support";

/// A GPU of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpu {
    /// As in `cuda:0`.
    pub ordinal: usize,
    pub name: String,
    pub free_bytes: usize,
    pub total_bytes: usize,
    /// Major and minor version of CUDA that the driver is for.
    pub driver: (i32, i32),
}

impl Gpu {
    /// `cuda:0, NVIDIA RTX A4000, 14.9 of 15.7 GiB free, driver for CUDA 13.0`
    pub fn in_words(&self) -> String {
        let gib = |bytes: usize| bytes as f64 / f64::from(1 << 30);
        format!(
            "cuda:{}, {}, {:.1} of {:.1} GiB free, driver for CUDA {}.{}",
            self.ordinal,
            self.name,
            gib(self.free_bytes),
            gib(self.total_bytes),
            self.driver.0,
            self.driver.1
        )
    }
}

/// An open device, and a line for the user about which it is and why.
pub struct Opened {
    pub device: Device,
    pub line: String,
}

/// The GPUs of this machine, or why this build or this machine has none.
pub fn gpus() -> Result<Vec<Gpu>> {
    #[cfg(feature = "cuda")]
    {
        let found = crate::ops::cuda::devices().map_err(|error| {
            anyhow::anyhow!("NVIDIA's driver found no GPU ({})", first_line(&error))
        })?;
        Ok(found
            .into_iter()
            .map(|gpu| Gpu {
                ordinal: gpu.ordinal,
                name: gpu.name,
                free_bytes: gpu.free_bytes,
                total_bytes: gpu.total_bytes,
                driver: gpu.driver,
            })
            .collect())
    }
    #[cfg(not(feature = "cuda"))]
    bail!(NO_SUPPORT)
}

/// Opens the device a run asked for. `Auto` never fails: it falls back to the CPU and says why.
pub fn open_device(choice: DeviceChoice) -> Result<Opened> {
    match choice {
        DeviceChoice::Cpu => Ok(cpu("as asked for")),
        DeviceChoice::Auto => Ok(open_gpu(0).unwrap_or_else(|error| cpu(&error.to_string()))),
        DeviceChoice::Cuda(ordinal) => open_gpu(ordinal).map_err(|error| {
            let build = if cfg!(feature = "cuda") {
                ""
            } else {
                ", or build it with `--features cuda`"
            };
            anyhow::anyhow!("cuda:{ordinal}: {error}; use `--device cpu`{build}")
        }),
    }
}

/// Opens the device that work with a model asked for: PRN stays on the CPU, whose layers it has kernels for.
pub fn open_device_for(model: ModelName, choice: DeviceChoice) -> Result<Opened> {
    if model != ModelName::Prn || !cfg!(feature = "cuda") {
        return open_device(choice);
    }
    match choice {
        DeviceChoice::Cuda(_) => bail!("{PRN_ON_CPU}; use `--device cpu`"),
        DeviceChoice::Auto => Ok(cpu(PRN_ON_CPU)),
        DeviceChoice::Cpu => open_device(choice),
    }
}

fn cpu(why: &str) -> Opened {
    let threads = rayon::current_num_threads();
    Opened {
        device: Device::Cpu,
        line: format!("cpu, {threads} threads: {why}"),
    }
}

fn open_gpu(ordinal: usize) -> Result<Opened> {
    let gpus = gpus()?;
    let Some(gpu) = gpus.iter().find(|gpu| gpu.ordinal == ordinal) else {
        let names: Vec<String> = gpus.iter().map(Gpu::in_words).collect();
        bail!("there is no such GPU; there are: {}", names.join("; "));
    };
    if gpu.free_bytes < LEAST_FREE_BYTES {
        bail!(
            "too little memory is free on this GPU ({}); close what else uses it",
            gpu.in_words()
        );
    }
    Ok(Opened {
        device: device(ordinal)?,
        line: gpu.in_words(),
    })
}

#[cfg(feature = "cuda")]
fn device(ordinal: usize) -> Result<Device> {
    crate::ops::cuda::open(ordinal)
        .map_err(|error| anyhow::anyhow!("the GPU could not be opened ({})", first_line(&error)))
}

#[cfg(not(feature = "cuda"))]
fn device(_: usize) -> Result<Device> {
    bail!(NO_SUPPORT)
}

/// Memory that is free on a GPU; none where there is none.
pub fn free_bytes(device: &Device) -> Result<usize> {
    match device {
        #[cfg(feature = "cuda")]
        Device::Cuda(_) => crate::ops::cuda::free_bytes(device).map_err(|error| {
            anyhow::anyhow!("asking the GPU for its memory ({})", first_line(&error))
        }),
        Device::Cpu => Ok(0),
        _ => bail!(NO_SUPPORT),
    }
}

/// Without the backtrace that the library may append.
#[cfg(feature = "cuda")]
fn first_line(error: &candle_core::Error) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
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
    use super::{Gpu, open_device, open_device_for};
    use crate::config::{DeviceChoice, ModelName};

    #[test]
    fn automatic_choice_always_finds_a_device_and_says_which() {
        let opened = open_device(DeviceChoice::Auto).unwrap();
        let start = if opened.device.is_cpu() {
            "cpu, "
        } else {
            "cuda:0, "
        };
        assert!(opened.line.starts_with(start), "{}", opened.line);
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn asking_for_a_gpu_without_gpu_support_says_what_to_do() {
        let message = open_device(DeviceChoice::Cuda(0))
            .err()
            .unwrap()
            .to_string();
        assert!(
            message.contains("--device cpu") && message.contains("--features cuda"),
            "{message}"
        );
        let auto = open_device(DeviceChoice::Auto).unwrap().line;
        assert!(auto.contains("no GPU support"), "{auto}");
    }

    #[cfg(feature = "cuda")]
    #[test]
    fn a_gpu_that_is_not_there_is_refused_with_what_to_do() {
        let message = open_device(DeviceChoice::Cuda(99))
            .err()
            .unwrap()
            .to_string();
        assert!(message.contains("--device cpu"), "{message}");
    }

    #[test]
    fn prn_stays_on_the_cpu_and_says_why() {
        let opened = open_device_for(ModelName::Prn, DeviceChoice::Auto).unwrap();
        assert!(opened.device.is_cpu());
        assert_eq!(opened.line.contains("PRN"), cfg!(feature = "cuda"));
        let refused = open_device_for(ModelName::Prn, DeviceChoice::Cuda(0)).err();
        assert!(refused.unwrap().to_string().contains("--device cpu"));
    }

    #[test]
    fn a_gpu_is_told_in_one_line() {
        let gpu = Gpu {
            ordinal: 1,
            name: "NVIDIA RTX A4000".to_owned(),
            free_bytes: 3 << 30,
            total_bytes: 16 << 30,
            driver: (13, 0),
        };
        assert_eq!(
            gpu.in_words(),
            "cuda:1, NVIDIA RTX A4000, 3.0 of 16.0 GiB free, driver for CUDA 13.0"
        );
    }
}
