//! Masks as shapes: connected regions, holes, closing and opening. Knows nothing of pictures.

use crate::data::image::Size;

/// Indices of the pixels of each 8-connected region, in the order of their first pixel.
pub(super) fn regions(mask: &[bool], size: Size) -> Vec<Vec<usize>> {
    let mut seen = vec![false; mask.len()];
    let mut found = Vec::new();
    for start in 0..mask.len() {
        if mask[start] && !seen[start] {
            found.push(flooded(
                start,
                size,
                Touching::EdgesAndCorners,
                |i| mask[i],
                &mut seen,
            ));
        }
    }
    found
}

/// Marks whatever cannot reach the border without crossing a marked pixel.
pub(super) fn fill_holes(mask: &mut [bool], size: Size) {
    let mut seen = vec![false; mask.len()];
    let Size { width, height } = size;
    let sides = (0..height).flat_map(|y| [y * width, y * width + width - 1]);
    let border = (0..width)
        .flat_map(|x| [x, (height - 1) * width + x])
        .chain(sides);
    for start in border {
        if !mask[start] && !seen[start] {
            flooded(start, size, Touching::Edges, |i| !mask[i], &mut seen);
        }
    }
    for (marked, outside) in mask.iter_mut().zip(seen) {
        *marked = !outside;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Touching {
    Edges,
    EdgesAndCorners,
}

/// All pixels connected to `start` for which `belongs` holds.
fn flooded(
    start: usize,
    size: Size,
    touching: Touching,
    belongs: impl Fn(usize) -> bool,
    seen: &mut [bool],
) -> Vec<usize> {
    let Size { width, height } = size;
    let mut region = vec![start];
    seen[start] = true;
    let mut next = 0;
    while let Some(&index) = region.get(next) {
        next += 1;
        let (x, y) = (index % width, index / width);
        for row in y.saturating_sub(1)..(y + 2).min(height) {
            for column in x.saturating_sub(1)..(x + 2).min(width) {
                let corner = row != y && column != x;
                let neighbour = row * width + column;
                if (corner && touching == Touching::Edges) || seen[neighbour] || !belongs(neighbour)
                {
                    continue;
                }
                seen[neighbour] = true;
                region.push(neighbour);
            }
        }
    }
    region
}

/// Closes gaps narrower than `side`, then drops what is narrower than `side`: squares, as in the published masks.
pub(super) fn closed_then_opened(mask: &[bool], size: Size, side: usize) -> Vec<bool> {
    let closed = spread(&spread(mask, size, side, true), size, side, false);
    spread(&spread(&closed, size, side, false), size, side, true)
}

/// Grows what has `state` by a square of `side` pixels. Beyond the border nothing has it, so that neither closing nor
/// opening changes a product that the border cuts; one that ends within half a square of the border reaches it.
fn spread(mask: &[bool], size: Size, side: usize, state: bool) -> Vec<bool> {
    let Size { width, height } = size;
    // An even square has no middle; growing back the other way puts everything where it was.
    let (before, after) = if state {
        (side / 2, side.saturating_sub(1) / 2)
    } else {
        (side.saturating_sub(1) / 2, side / 2)
    };
    let mut across = vec![!state; mask.len()];
    for y in 0..height {
        let start = y * width;
        spread_line(
            width,
            before,
            after,
            |i| mask[start + i] == state,
            |i| {
                across[start + i] = state;
            },
        );
    }
    let mut both = vec![!state; mask.len()];
    for x in 0..width {
        spread_line(
            height,
            before,
            after,
            |i| across[i * width + x] == state,
            |i| {
                both[i * width + x] = state;
            },
        );
    }
    both
}

/// Sets every position within reach of one that holds.
fn spread_line(
    length: usize,
    before: usize,
    after: usize,
    holds: impl Fn(usize) -> bool,
    mut set: impl FnMut(usize),
) {
    let mut done = 0;
    for position in (0..length).filter(|&i| holds(i)) {
        let end = (position + after + 1).min(length);
        for i in position.saturating_sub(before).max(done)..end {
            set(i);
        }
        done = done.max(end);
    }
}

#[cfg(test)]
mod tests {
    use super::{Size, closed_then_opened, fill_holes, regions};

    const SIZE: Size = Size {
        width: 20,
        height: 12,
    };

    fn mask(marked: impl Fn(usize, usize) -> bool) -> Vec<bool> {
        (0..SIZE.pixels())
            .map(|i| marked(i % SIZE.width, i / SIZE.width))
            .collect()
    }

    fn inside(x: usize, y: usize, rect: [usize; 4]) -> bool {
        (rect[0]..rect[2]).contains(&x) && (rect[1]..rect[3]).contains(&y)
    }

    #[test]
    fn regions_touch_at_corners_too() {
        let found = regions(&mask(|x, y| x == y || (x, y) == (15, 2)), SIZE);
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [12, 1]);
        assert!(regions(&mask(|_, _| false), SIZE).is_empty());
        assert_eq!(regions(&mask(|_, _| true), SIZE)[0].len(), SIZE.pixels());
    }

    #[test]
    fn holes_are_filled_and_bays_at_the_border_are_not() {
        let ring = |x, y| inside(x, y, [2, 2, 10, 10]) && !inside(x, y, [4, 4, 8, 8]);
        let mut filled = mask(ring);
        fill_holes(&mut filled, SIZE);
        assert_eq!(filled, mask(|x, y| inside(x, y, [2, 2, 10, 10])));
        let bay = |x, y| inside(x, y, [2, 2, 20, 10]) && !inside(x, y, [4, 4, 20, 8]);
        let mut open = mask(bay);
        fill_holes(&mut open, SIZE);
        assert_eq!(open, mask(bay));
    }

    #[test]
    fn gaps_are_closed_and_specks_dropped_whatever_the_square() {
        for side in [3, 4] {
            let found = closed_then_opened(
                &mask(|x, y| inside(x, y, [4, 3, 10, 9]) && x != 6 || (x, y) == (16, 6)),
                SIZE,
                side,
            );
            assert_eq!(found, mask(|x, y| inside(x, y, [4, 3, 10, 9])), "{side}");
        }
    }

    #[test]
    fn what_the_border_cuts_and_uniform_masks_stay_as_they_are() {
        let cut = mask(|x, _| x < 3);
        assert_eq!(closed_then_opened(&cut, SIZE, 6), cut);
        for uniform in [true, false] {
            let mask = mask(|_, _| uniform);
            assert_eq!(closed_then_opened(&mask, SIZE, 6), mask);
            assert_eq!(closed_then_opened(&mask, SIZE, 1), mask);
        }
    }
}
