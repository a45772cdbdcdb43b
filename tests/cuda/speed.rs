//! How long the operations take on the GPU, for whoever makes them quicker:
//! `cargo test --release --features cudnn --test cuda -- --ignored --nocapture`.

use std::time::Instant;

use candle_core::{Device, Tensor};
use flawscope::ops::conv::{Activation, Channels, Conv2d, Padding};
use flawscope::ops::gaussian::smooth;
use flawscope::ops::nearest::CentreIndex;
use flawscope::ops::pool::{average_3x3, max_3x3_stride_2};
use flawscope::ops::resample::{Alignment, resize, sum_on_first_grid, upsampling_adjoint};

use crate::support::gpu;

/// Prints the median of 20 runs, each waited for.
fn time(device: &Device, what: &str, mut work: impl FnMut() -> Tensor) {
    let mut seconds: Vec<f64> = (0..25)
        .map(|_| {
            let started = Instant::now();
            let result = work();
            device.synchronize().unwrap();
            drop(result);
            started.elapsed().as_secs_f64()
        })
        .skip(5)
        .collect();
    seconds.sort_by(f64::total_cmp);
    eprintln!("{what:<60} {:>9.3} ms", 1e3 * seconds[10]);
}

fn random(dims: &[usize], device: &Device) -> Tensor {
    Tensor::randn(0_f32, 1.0, dims, device).unwrap()
}

/// Rows whose spread falls from coordinate to coordinate, as that of real features.
fn cloud(count: usize, width: usize, device: &Device) -> Tensor {
    let falling: Vec<f32> = (0..width).map(|d| 0.98_f32.powi(d as i32)).collect();
    let falling = Tensor::from_vec(falling, (1, width), device).unwrap();
    let rows = random(&[count, width], device);
    rows.broadcast_mul(&falling).unwrap()
}

#[test]
#[ignore = "measures"]
fn operations() {
    let Some(gpu) = gpu() else { return };
    let gpu = &gpu;
    for (width, pictures) in [(448, 1), (448, 32), (1792, 1), (1792, 4), (1792, 16)] {
        let centres = cloud(3136, width, gpu);
        let index = CentreIndex::new(&centres).unwrap();
        let noise = (cloud(3136, width, gpu) * 0.3).unwrap();
        let near = (&centres + noise).unwrap();
        let patches = Tensor::cat(&vec![&near; pictures], 0).unwrap();
        let what = format!("of {pictures} x 3136 patches of {width}");
        for count in [3, 6] {
            time(gpu, &format!("{count} nearest {what}"), || {
                index.nearest(&patches, count).unwrap().squared
            });
        }
        let found = index.nearest(&patches, 6).unwrap();
        time(gpu, &format!("weighted differences {what}"), || {
            index
                .weighted_differences(&patches, &found.indices, &found.squared)
                .unwrap()
        });
        let grids = [56, 28, 14].map(|side| random(&[pictures, side, side, width], gpu));
        time(gpu, &format!("upsampled sum {what}"), || {
            sum_on_first_grid(&grids).unwrap()
        });
        time(gpu, &format!("its adjoint {what}"), || {
            upsampling_adjoint(&grids[0], 14, 14).unwrap()
        });
    }
    let scores = random(&[32, 56, 56], gpu);
    time(gpu, "32 maps of 56 upsampled to 224", || {
        resize(&scores, 224, 224, Alignment::Borders).unwrap()
    });
    let maps = random(&[32, 224, 224], gpu);
    time(gpu, "32 maps of 224 smoothed", || {
        smooth(&maps, 4.0).unwrap()
    });
    for batch in [1, 32] {
        let tap = random(&[batch, 256, 56, 56], gpu);
        time(gpu, &format!("average of {batch} x 256 x 56 x 56"), || {
            average_3x3(&tap).unwrap()
        });
        let wide = random(&[batch, 64, 112, 112], gpu);
        time(gpu, &format!("maximum of {batch} x 64 x 112 x 112"), || {
            max_3x3_stride_2(&wide).unwrap()
        });
        for (channels, [from, to], kernel, stride, side) in [
            (Channels::All, [3, 64], 7, 2, 224),
            (Channels::All, [64, 64], 3, 1, 56),
            (Channels::All, [128, 128], 3, 1, 56),
            (Channels::All, [512, 512], 3, 1, 14),
            (Channels::All, [256, 128], 1, 1, 56),
            (Channels::All, [512, 1024], 1, 1, 14),
            (Channels::Own, [144, 144], 3, 1, 56),
            (Channels::Own, [144, 144], 5, 2, 56),
        ] {
            let seen = if channels == Channels::Own { 1 } else { from };
            let weight = random(&[to, seen, kernel, kernel], gpu);
            let bias = random(&[to], gpu);
            let padding = Padding::Zeros(kernel / 2);
            let conv = Conv2d::new(&weight, &bias, channels, stride, padding).unwrap();
            let pixels = random(&[batch, from, side, side], gpu);
            let what =
                format!("{channels:?} {batch} x {from} x {side}² to {to}, {kernel} px / {stride}");
            time(gpu, &what, || {
                conv.forward(&pixels, Activation::Relu).unwrap()
            });
        }
    }
}
