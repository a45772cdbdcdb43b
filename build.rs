//! With the feature `cuda`: compiles the kernels of `src/ops/cuda/kernels` to PTX. Without it there is nothing to do.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const KERNELS: &str = "src/ops/cuda/kernels";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={KERNELS}");
    for variable in ["NVCC", "CUDA_HOME", "CUDA_COMPUTE_CAP", "CUDART_STATIC_DIR"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    if env::var_os("CARGO_FEATURE_CUDA").is_none() {
        return;
    }
    // Where the toolkit's runtime is taken from, if not from the toolkit's own folder.
    if let Ok(folder) = env::var("CUDART_STATIC_DIR") {
        println!("cargo::rustc-link-search=native={folder}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let sources = std::fs::read_dir(KERNELS).expect("the kernels' folder can be read");
    for source in sources {
        let source = source.expect("the kernels' folder can be read").path();
        compile(&source, &out);
    }
}

/// Code for compute capability 8.0 runs on everything newer: the driver translates it once more.
fn compile(source: &Path, out: &Path) {
    let capability = env::var("CUDA_COMPUTE_CAP").unwrap_or_else(|_| "80".to_owned());
    let target = out
        .join(source.file_name().expect("a kernel has a name"))
        .with_extension("ptx");
    let compiler = compiler();
    let status = Command::new(&compiler)
        .args(["--ptx", "-O3", "-std=c++17"])
        .arg(format!("-arch=compute_{capability}"))
        .arg("-o")
        .arg(&target)
        .arg(source)
        .status();
    match status {
        Ok(status) if status.success() => {}
        Ok(_) => panic!("{} does not compile", source.display()),
        Err(error) => panic!(
            "{} cannot be run ({error}): the feature `cuda` needs the CUDA toolkit; set CUDA_HOME to where it is",
            compiler.display()
        ),
    }
}

fn compiler() -> PathBuf {
    let of_toolkit = || env::var_os("CUDA_HOME").map(|home| PathBuf::from(home).join("bin/nvcc"));
    env::var_os("NVCC")
        .map(PathBuf::from)
        .or_else(of_toolkit)
        .unwrap_or_else(|| PathBuf::from("nvcc"))
}
