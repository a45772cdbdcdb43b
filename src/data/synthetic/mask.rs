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
                for pixel in &difference[row * size..][x.saturating_sub(1)..=(x + 1).min(size - 1)]
                {
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
    const AROUND: [(isize, isize); 8] = [
        (1, 0),
        (-1, 0),
        (0, 1),
        (0, -1),
        (1, 1),
        (1, -1),
        (-1, 1),
        (-1, -1),
    ];
    let directions = if mask[start] {
        &AROUND[..]
    } else {
        &AROUND[..4]
    };
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

#[cfg(test)]
mod tests {
    use super::changed;

    const SIZE: usize = 320;

    /// Marks of what differs between a black picture and one where `bright` says so.
    fn marked(gap: f32, bright: impl Fn(usize, usize) -> bool) -> Vec<(usize, usize)> {
        let black = vec![[0.0; 3]; SIZE * SIZE];
        let at = |index: usize| (index % SIZE, index / SIZE);
        let damaged: Vec<_> = (0..SIZE * SIZE)
            .map(|index| {
                let (x, y) = at(index);
                if bright(x, y) {
                    [0.0, 9.0, 0.0]
                } else {
                    [0.0; 3]
                }
            })
            .collect();
        let mask = changed(&black, &damaged, SIZE, gap);
        (0..mask.len())
            .filter(|&index| mask[index])
            .map(at)
            .collect()
    }

    #[test]
    fn equal_pictures_have_an_empty_mask() {
        assert!(marked(4.0, |_, _| false).is_empty());
    }

    #[test]
    fn a_changed_square_is_marked_as_it_is_even_at_the_border() {
        let corners = |x0: usize, x1: usize| [(x0, x0), (x1, x0), (x0, x1), (x1, x1)];
        let square = marked(0.0, |x, y| {
            (100..120).contains(&x) && (100..120).contains(&y)
        });
        // The corners see only a few changed pixels around them.
        assert_eq!(square.len(), 20 * 20 - 4);
        assert!(
            corners(100, 119)
                .iter()
                .all(|corner| !square.contains(corner))
        );
        let whole = marked(4.0, |_, _| true);
        assert_eq!(whole.len(), SIZE * SIZE);
    }

    #[test]
    fn a_lone_pixel_is_no_defect() {
        assert!(marked(4.0, |x, y| (x, y) == (50, 60)).is_empty());
    }

    #[test]
    fn holes_and_narrow_gaps_are_closed_and_wide_ones_stay() {
        let two_bars = |gap: usize| {
            marked(6.0, move |x, y| {
                (100..140).contains(&y) && ((90..100).contains(&x) || (100 + gap..120).contains(&x))
            })
        };
        assert!(two_bars(5).contains(&(102, 120)));
        assert!(!two_bars(12).contains(&(106, 120)));
        let ring = marked(0.0, |x, y| {
            let inside =
                |from: usize, to: usize| (from..to).contains(&x) && (from..to).contains(&y);
            inside(100, 120) && !inside(107, 113)
        });
        assert!(ring.contains(&(110, 110)));
    }
}
