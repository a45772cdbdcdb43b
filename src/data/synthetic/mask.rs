//! The exact mask of a defect: the pixels it visibly changed, tidied. Works on noise-free pictures.

use super::texture::Colour;

/// A change of this many levels of 255 in any channel, averaged over 3 x 3 pixels, counts as visible.
const VISIBLE: f32 = 5.0;

/// Regions smaller than this many pixels in a 320-pixel frame are dropped, and holes up to ten times as large filled.
const SMALLEST: usize = 6;

/// Which pixels of a `size * size` picture differ visibly. Gaps up to `gap` pixels are closed, specks and small holes
/// take the state around them.
pub fn changed(clean: &[Colour], damaged: &[Colour], size: usize, gap: f32) -> Vec<bool> {
    let difference: Vec<Colour> = clean
        .iter()
        .zip(damaged)
        .map(|(a, b)| std::array::from_fn(|c| b[c] - a[c]))
        .collect();
    let visible = visible(&difference, size);
    let disc = disc(gap / 2.0);
    let dilated = swept(&visible, size, &disc, true);
    let mut mask = swept(&dilated, size, &disc, false);
    take_surroundings(&mut mask, size);
    mask
}

fn visible(difference: &[Colour], size: usize) -> Vec<bool> {
    (0..size * size)
        .map(|index| {
            let (x, y) = (index % size, index / size);
            let mut sum = [0.0f32; 3];
            let mut count = 0.0;
            for row in y.saturating_sub(1)..=(y + 1).min(size - 1) {
                for pixel in &difference[row * size..][x.saturating_sub(1)..=(x + 1).min(size - 1)] {
                    count += 1.0;
                    for (total, channel) in sum.iter_mut().zip(pixel) {
                        *total += channel;
                    }
                }
            }
            sum.iter().any(|total| total.abs() > VISIBLE * count)
        })
        .collect()
}

/// Offsets of all pixels within `radius` of a pixel.
fn disc(radius: f32) -> Vec<(isize, isize)> {
    let reach = radius as isize;
    (-reach..=reach)
        .flat_map(|y| (-reach..=reach).map(move |x| (x, y)))
        .filter(|&(x, y)| ((x * x + y * y) as f32) <= radius * radius)
        .collect()
}

/// Spreads the pixels whose state is `state` over the disc around them: dilation of `true`, erosion of `false`.
fn swept(mask: &[bool], size: usize, disc: &[(isize, isize)], state: bool) -> Vec<bool> {
    let mut swept = mask.to_vec();
    for (index, _) in mask.iter().enumerate().filter(|&(_, &set)| set == state) {
        let (x, y) = ((index % size) as isize, (index / size) as isize);
        for (dx, dy) in disc {
            let (column, row) = (x + dx, y + dy);
            if (0..size as isize).contains(&column) && (0..size as isize).contains(&row) {
                swept[row as usize * size + column as usize] = state;
            }
        }
    }
    swept
}

/// Drops specks and fills holes: both are small connected regions.
fn take_surroundings(mask: &mut [bool], size: usize) {
    let smallest = (SMALLEST * size * size).div_ceil(320 * 320);
    let largest_hole = 10 * smallest;
    let mut seen = vec![false; mask.len()];
    for start in 0..mask.len() {
        if seen[start] {
            continue;
        }
        let region = region(mask, size, start, &mut seen);
        let limit = if mask[start] { smallest } else { largest_hole };
        if region.len() < limit {
            for index in region {
                mask[index] = !mask[index];
            }
        }
    }
}

/// All pixels connected to `start` through equal 4-neighbours (8-neighbours where set).
fn region(mask: &[bool], size: usize, start: usize, seen: &mut [bool]) -> Vec<usize> {
    const AROUND: [(isize, isize); 8] = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)];
    let directions = if mask[start] { &AROUND[..] } else { &AROUND[..4] };
    let mut region = vec![start];
    seen[start] = true;
    let mut next = 0;
    while let Some(&index) = region.get(next) {
        next += 1;
        let (x, y) = ((index % size) as isize, (index / size) as isize);
        for (dx, dy) in directions {
            let (nx, ny) = (x + dx, y + dy);
            if nx < 0 || ny < 0 || nx >= size as isize || ny >= size as isize {
                continue;
            }
            let neighbour = ny as usize * size + nx as usize;
            if !seen[neighbour] && mask[neighbour] == mask[start] {
                seen[neighbour] = true;
                region.push(neighbour);
            }
        }
    }
    region
}
