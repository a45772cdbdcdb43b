//! The operations of frozen networks and of scoring.

use candle_core::{Device, Tensor};
use flawscope::ops::conv::{Activation, Channels, Conv2d, Padding, channel_means, scale_channels};
use flawscope::ops::gaussian::smooth;
use flawscope::ops::nearest::{CentreIndex, Neighbours};
use flawscope::ops::pool::{average_3x3, max_3x3_stride_2};
use flawscope::ops::resample::{Alignment, resize, sum_on_first_grid, upsampling_adjoint};

use crate::support::{assert_close, gpu, noise, values};

/// Convolutions may round their products to 10 bits (TF32) where the library's do.
const CONVOLUTION: f64 = 3e-3;
const EXACT: f64 = 1e-6;

type Case = (Channels, [usize; 2], usize, usize, Padding, [usize; 2]);

const CASES: [Case; 17] = [
    (Channels::All, [3, 10], 7, 2, Padding::Zeros(3), [23, 30]),
    (Channels::All, [3, 8], 7, 2, Padding::Reflect(3), [8, 21]),
    (Channels::All, [5, 16], 3, 1, Padding::Zeros(1), [9, 17]),
    (Channels::All, [4, 3], 3, 1, Padding::Reflect(1), [2, 50]),
    (Channels::All, [40, 33], 3, 2, Padding::Zeros(1), [7, 7]),
    (Channels::All, [3, 4], 3, 2, Padding::Same, [12, 13]),
    (Channels::All, [6, 24], 1, 1, Padding::Same, [11, 13]),
    (Channels::All, [64, 70], 1, 1, Padding::Zeros(0), [14, 14]),
    (Channels::All, [6, 7], 1, 2, Padding::Zeros(0), [11, 12]),
    (Channels::All, [1, 1], 1, 1, Padding::Zeros(0), [1, 1]),
    (Channels::Own, [5, 5], 3, 1, Padding::Same, [9, 35]),
    (Channels::Own, [40, 40], 3, 2, Padding::Same, [10, 33]),
    (Channels::Own, [3, 3], 5, 1, Padding::Same, [4, 4]),
    (Channels::Own, [3, 3], 5, 2, Padding::Same, [13, 8]),
    (Channels::Own, [2, 2], 3, 1, Padding::Reflect(1), [5, 6]),
    (Channels::Own, [2, 2], 7, 2, Padding::Zeros(3), [9, 9]),
    (Channels::Own, [3, 3], 1, 1, Padding::Zeros(0), [5, 19]),
];

const ACTIVATIONS: [Activation; 5] = [
    Activation::None,
    Activation::Relu,
    Activation::Relu6,
    Activation::HardSigmoid,
    Activation::HardSwish,
];

#[test]
fn convolutions_agree() {
    let Some(gpu) = gpu() else { return };
    for (index, (channels, [from, to], kernel, stride, padding, [height, width])) in
        CASES.into_iter().enumerate()
    {
        let seen = if channels == Channels::Own { 1 } else { from };
        let input = noise(&[2, from, height, width], 1);
        let weight = noise(&[to, seen, kernel, kernel], 2);
        let bias = noise(&[to], 3);
        let on = |device: &Device| {
            let weight = weight.to_device(device).unwrap();
            let bias = bias.to_device(device).unwrap();
            Conv2d::new(&weight, &bias, channels, stride, padding).unwrap()
        };
        let (here, there) = (on(&Device::Cpu), on(&gpu));
        let input_there = input.to_device(&gpu).unwrap();
        for activation in ACTIVATIONS {
            let what = format!("case {index} with {activation:?}");
            let expected = here.forward(&input, activation).unwrap();
            let found = there.forward(&input_there, activation).unwrap();
            assert_close(&found, &expected, CONVOLUTION, &what);
            let residual = noise(expected.dims(), 4);
            let expected = here.forward_add(&input, &residual, activation).unwrap();
            let residual = residual.to_device(&gpu).unwrap();
            let found = there
                .forward_add(&input_there, &residual, activation)
                .unwrap();
            assert_close(&found, &expected, CONVOLUTION, &format!("{what}, added"));
        }
    }
}

#[test]
fn a_picture_that_is_no_number_stays_that_way() {
    let Some(gpu) = gpu() else { return };
    let input = Tensor::full(f32::NAN, (1, 2, 4, 4), &gpu).unwrap();
    let bias = noise(&[2], 1).to_device(&gpu).unwrap();
    for (channels, seen) in [(Channels::All, 2), (Channels::Own, 1)] {
        let weight = noise(&[2, seen, 3, 3], 2).to_device(&gpu).unwrap();
        let conv = Conv2d::new(&weight, &bias, channels, 1, Padding::Zeros(1)).unwrap();
        for activation in ACTIVATIONS {
            let found = conv.forward(&input, activation).unwrap();
            assert!(values(&found).iter().all(|v| v.is_nan()), "{activation:?}");
        }
    }
}

#[test]
fn poolings_and_gates_agree() {
    let Some(gpu) = gpu() else { return };
    for dims in [
        [1, 1, 1, 1],
        [1, 2, 1, 5],
        [2, 3, 7, 8],
        [3, 2, 2, 2],
        [2, 20, 33, 31],
    ] {
        let pixels = noise(&dims, 1);
        let there = pixels.to_device(&gpu).unwrap();
        let what = format!("{dims:?}");
        let pairs = [
            (average_3x3(&there), average_3x3(&pixels)),
            (max_3x3_stride_2(&there), max_3x3_stride_2(&pixels)),
            (channel_means(&there), channel_means(&pixels)),
        ];
        for (found, expected) in pairs {
            assert_close(&found.unwrap(), &expected.unwrap(), 1e-5, &what);
        }
        let factors = noise(&[dims[0], dims[1], 1, 1], 2);
        let expected = scale_channels(&pixels, &factors).unwrap();
        let found = scale_channels(&there, &factors.to_device(&gpu).unwrap()).unwrap();
        assert_close(&found, &expected, EXACT, &what);
    }
}

#[test]
fn maps_are_upsampled_and_smoothed_alike() {
    let Some(gpu) = gpu() else { return };
    for (from, to) in [
        ([7, 5], [28, 20]),
        ([14, 14], [56, 56]),
        ([1, 3], [5, 9]),
        ([6, 6], [5, 4]),
    ] {
        let maps = noise(&[3, from[0], from[1]], 1);
        let there = maps.to_device(&gpu).unwrap();
        for alignment in [Alignment::Borders, Alignment::Centres] {
            let expected = resize(&maps, to[0], to[1], alignment).unwrap();
            let found = resize(&there, to[0], to[1], alignment).unwrap();
            assert_close(&found, &expected, 1e-5, &format!("{from:?} {to:?}"));
            let smooth = |maps: &Tensor| smooth(maps, 2.0).unwrap();
            assert_close(&smooth(&found), &smooth(&expected), 1e-5, "smoothed");
        }
    }
}

#[test]
fn embeddings_are_upsampled_and_spread_back_alike() {
    let Some(gpu) = gpu() else { return };
    for ([height, width], [h, w], depth) in [
        ([8, 12], [4, 6], 5),
        ([7, 5], [3, 2], 33),
        ([4, 4], [4, 4], 448),
        ([3, 3], [5, 7], 3),
        ([56, 56], [14, 14], 70),
        ([6, 1], [2, 1], 1),
        ([200, 150], [2, 1], 3),
    ] {
        let (base, coarse) = (
            noise(&[2, height, width, depth], 1),
            noise(&[2, h, w, depth], 2),
        );
        let what = format!("{height} {width} from {h} {w}");
        let expected = sum_on_first_grid(&[base.clone(), coarse.clone()]).unwrap();
        let there = [
            base.to_device(&gpu).unwrap(),
            coarse.to_device(&gpu).unwrap(),
        ];
        assert_close(&sum_on_first_grid(&there).unwrap(), &expected, 1e-5, &what);
        // A coarse sample may gather thousands of fine ones.
        let expected = upsampling_adjoint(&base, h, w).unwrap();
        let found = upsampling_adjoint(&there[0], h, w).unwrap();
        assert_close(&found, &expected, 1e-4, &what);
    }
}

/// Values whose spread falls from coordinate to coordinate, as in a bank of real features.
fn cloud(count: usize, width: usize, salt: usize) -> Vec<f32> {
    let noise = values(&noise(&[count * width], salt));
    let value = |(i, v): (usize, f64)| (v * 0.93_f64.powi((i % width) as i32) + 0.3) as f32;
    noise.into_iter().enumerate().map(value).collect()
}

fn rows(values: Vec<f32>, width: usize) -> Tensor {
    let count = values.len() / width;
    Tensor::from_vec(values, (count, width), &Device::Cpu).unwrap()
}

/// The same distances to rounding, each of them that of the centre it is said to be of.
fn assert_same_neighbours(
    found: &Neighbours,
    expected: &Neighbours,
    (bank, patches): (&Tensor, &Tensor),
    what: &str,
) {
    assert_eq!(found.squared.dims(), expected.squared.dims(), "{what}");
    let count = found.squared.dims()[1];
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-5 * b.abs() + 1e-6;
    let (bank, patches) = (
        bank.to_vec2::<f32>().unwrap(),
        patches.to_vec2::<f32>().unwrap(),
    );
    let (squared, wanted) = (values(&found.squared), values(&expected.squared));
    for (place, centre) in values(&found.indices).into_iter().enumerate() {
        let (d, e) = (squared[place], wanted[place]);
        assert!(near(d, e), "{what}: {d} instead of {e} at {place}");
        let pairs = bank[centre as usize].iter().zip(&patches[place / count]);
        let own: f64 = pairs.map(|(c, p)| f64::from(c - p).powi(2)).sum();
        assert!(
            near(d, own),
            "{what}: {d} at {place}, but centre {centre} is {own} away"
        );
    }
}

fn compare_search(bank: &Tensor, patches: &Tensor, gpu: &Device, what: &str) {
    let here = CentreIndex::new(bank).unwrap();
    let there = CentreIndex::new(&bank.to_device(gpu).unwrap()).unwrap();
    let patches_there = patches.to_device(gpu).unwrap();
    for count in [1, 3, 6, 12, 20, 40] {
        let expected = here.nearest(patches, count).unwrap();
        let found = there.nearest(&patches_there, count).unwrap();
        let what = format!("{what}, {count} nearest");
        assert_same_neighbours(&found, &expected, (bank, patches), &what);
    }
}

#[test]
fn the_nearest_centres_are_those_of_the_cpu() {
    let Some(gpu) = gpu() else { return };
    for (width, centres) in [
        (160, 540),
        (130, 300),
        (67, 129),
        (448, 700),
        (40, 300),
        (5, 9),
    ] {
        let bank = cloud(centres, width, 1);
        let noise = cloud(centres, width, 2);
        let near: Vec<f32> = bank.iter().zip(&noise).map(|(c, n)| c + 0.1 * n).collect();
        let bank = rows(bank, width);
        let what = format!("{centres} centres of {width}");
        compare_search(&bank, &rows(near, width), &gpu, &what);
        compare_search(&bank, &rows(noise, width), &gpu, &format!("{what}, far"));
    }
}

#[test]
fn difficult_banks_are_searched_exactly() {
    let Some(gpu) = gpu() else { return };
    let width = 160;
    // Each centre twice: the earlier one comes first.
    let mut twins = cloud(300, width, 3);
    twins.extend_from_within(..);
    let patches = rows(twins[..40 * width].to_vec(), width);
    let found = CentreIndex::new(&rows(twins.clone(), width).to_device(&gpu).unwrap())
        .unwrap()
        .nearest(&patches.to_device(&gpu).unwrap(), 2)
        .unwrap();
    for (t, pair) in values(&found.indices).chunks(2).enumerate() {
        assert_eq!(pair, [t as f64, (t + 300) as f64]);
    }
    // All centres in a few directions, or all the same: the bound rules nothing out.
    for distinct in [1, 3, 200] {
        let flat: Vec<f32> = (0..200)
            .flat_map(|n| {
                (0..width).map(move |d| {
                    if d < 5 {
                        ((n % distinct) * (d + 1)) as f32
                    } else {
                        0.0
                    }
                })
            })
            .collect();
        let what = format!("{distinct} distinct centres");
        compare_search(
            &rows(flat, width),
            &rows(cloud(30, width, 4), width),
            &gpu,
            &what,
        );
    }
    // Outliers far away, among the centres and among the patches.
    let mut wide = cloud(400, width, 5);
    wide[..width].iter_mut().for_each(|v| *v *= 1e4);
    let far: Vec<f32> = cloud(50, width, 6).iter().map(|v| 50.0 * v).collect();
    compare_search(&rows(wide, width), &rows(far, width), &gpu, "outliers");
}

#[test]
fn patches_that_are_no_numbers_end_in_valid_centres_at_infinite_distance() {
    let Some(gpu) = gpu() else { return };
    for width in [160, 20] {
        let bank = rows(cloud(300, width, 7), width).to_device(&gpu).unwrap();
        let patches = Tensor::full(f32::NAN, (3, width), &gpu).unwrap();
        let found = CentreIndex::new(&bank)
            .unwrap()
            .nearest(&patches, 3)
            .unwrap();
        assert_eq!(values(&found.indices), [0.0, 1.0, 2.0].repeat(3));
        assert!(values(&found.squared).iter().all(|d| d.is_infinite()));
    }
}

#[test]
fn weighted_differences_agree() {
    let Some(gpu) = gpu() else { return };
    for width in [7, 448] {
        let bank = rows(cloud(300, width, 8), width);
        let patches = rows(cloud(77, width, 9), width);
        let here = CentreIndex::new(&bank).unwrap();
        let there = CentreIndex::new(&bank.to_device(&gpu).unwrap()).unwrap();
        let indices = here.nearest(&patches, 6).unwrap().indices;
        let coefficients = noise(&[77, 6], 10).relu().unwrap();
        let expected = here.weighted_differences(&patches, &indices, &coefficients);
        let on = |tensor: &Tensor| tensor.to_device(&gpu).unwrap();
        let found = there.weighted_differences(&on(&patches), &on(&indices), &on(&coefficients));
        assert_close(&found.unwrap(), &expected.unwrap(), 1e-5, "differences");
    }
}
