//! The mask being painted, as bits in blocks of 64 by 64 pixels. Knows what changed since it was last asked, for the
//! screen and for undo; so a stroke costs what it touches, not what the picture measures. Knows no window.

use std::collections::{BTreeMap, BTreeSet};

use super::shapes::{Bounds, Span};
use crate::data::image::Mask;

/// Pixels on a side of a block.
pub const BLOCK: usize = 64;

/// One bit a pixel, one word a row.
pub type Block = [u64; BLOCK];

/// What a tool does to the pixels it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    Mark,
    Erase,
}

/// The contents that some blocks had, or shall have again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    blocks: Vec<(usize, Block)>,
}

impl Patch {
    /// Bytes of memory it takes.
    pub fn weight(&self) -> usize {
        self.blocks.len() * size_of::<(usize, Block)>()
    }
}

/// Part of the picture in pixels: left, top, right, bottom; right and bottom are one past the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
}

#[derive(Debug, Clone)]
pub struct Canvas {
    bounds: Bounds,
    /// Row by row.
    blocks: Vec<Block>,
    /// Blocks in a row of blocks.
    columns: usize,
    marked: usize,
    /// What touched blocks held at the last [`Canvas::commit`].
    before: BTreeMap<usize, Block>,
    /// Blocks changed since [`Canvas::take_changed`].
    changed: BTreeSet<usize>,
}

impl Canvas {
    /// A mask that marks nothing.
    pub fn new(bounds: Bounds) -> Self {
        let columns = bounds.0.div_ceil(BLOCK);
        Self {
            bounds,
            blocks: vec![[0; BLOCK]; columns * bounds.1.div_ceil(BLOCK)],
            columns,
            marked: 0,
            before: BTreeMap::new(),
            changed: BTreeSet::new(),
        }
    }

    /// A copy of a mask; nothing can be undone yet.
    pub fn of(mask: &Mask) -> Self {
        let size = mask.size();
        let mut canvas = Self::new((size.width, size.height));
        canvas.draw(mask);
        canvas.before.clear();
        canvas
    }

    /// Width and height in pixels.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// How many pixels are marked.
    pub fn marked(&self) -> usize {
        self.marked
    }

    pub fn is_empty(&self) -> bool {
        self.marked == 0
    }

    pub fn is_full(&self) -> bool {
        self.marked == self.bounds.0 * self.bounds.1
    }

    /// Whether a pixel is marked; those outside the picture are not.
    pub fn at(&self, x: usize, y: usize) -> bool {
        x < self.bounds.0
            && y < self.bounds.1
            && self.blocks[y / BLOCK * self.columns + x / BLOCK][y % BLOCK] >> (x % BLOCK) & 1 == 1
    }

    /// Marks or erases the spans, which lie inside the picture.
    pub fn fill(&mut self, spans: &[Span], ink: Ink) {
        for span in spans {
            self.fill_span(*span, ink);
        }
    }

    fn fill_span(&mut self, span: Span, ink: Ink) {
        let mut x = span.start;
        while x < span.end {
            let block_end = (x / BLOCK + 1) * BLOCK;
            let end = span.end.min(block_end);
            let bits = u64::MAX >> (BLOCK - (end - x)) << (x % BLOCK);
            self.fill_word(
                span.y / BLOCK * self.columns + x / BLOCK,
                span.y % BLOCK,
                bits,
                ink,
            );
            x = end;
        }
    }

    fn fill_word(&mut self, index: usize, row: usize, bits: u64, ink: Ink) {
        let Some(block) = self.blocks.get_mut(index) else {
            return;
        };
        let old = block[row];
        let new = match ink {
            Ink::Mark => old | bits,
            Ink::Erase => old & !bits,
        };
        if new != old {
            self.before.entry(index).or_insert(*block);
            self.changed.insert(index);
            block[row] = new;
            self.marked = self.marked + new.count_ones() as usize - old.count_ones() as usize;
        }
    }

    /// Marks nothing any more.
    pub fn clear(&mut self) {
        for y in 0..self.bounds.1 {
            self.fill_span(self.row(y), Ink::Erase);
        }
    }

    /// Marks exactly what `mask` marks. One of another size changes nothing.
    pub fn draw(&mut self, mask: &Mask) {
        let size = mask.size();
        if (size.width, size.height) != self.bounds {
            return;
        }
        self.clear();
        for (y, row) in mask.values().chunks_exact(size.width).enumerate() {
            for start in (0..size.width).step_by(BLOCK) {
                let pixels = row.iter().skip(start).take(BLOCK).enumerate();
                let bits = pixels.fold(0, |bits, (i, &marked)| bits | u64::from(marked) << i);
                let index = y / BLOCK * self.columns + start / BLOCK;
                self.fill_word(index, y % BLOCK, bits, Ink::Mark);
            }
        }
    }

    fn row(&self, y: usize) -> Span {
        Span {
            y,
            start: 0,
            end: self.bounds.0,
        }
    }

    pub fn to_mask(&self) -> Option<Mask> {
        let (width, height) = self.bounds;
        let mut values = Vec::with_capacity(width * height);
        for y in 0..height {
            let row = self.blocks.iter().skip(y / BLOCK * self.columns);
            let words = row.take(self.columns).map(|block| block[y % BLOCK]);
            let pixels = words.flat_map(|word| (0..BLOCK).map(move |bit| word >> bit & 1 == 1));
            values.extend(pixels.take(width));
        }
        Mask::new(width, height, values)
    }

    /// Ends a step. Returns what it takes to undo it; `None` when nothing changed.
    pub fn commit(&mut self) -> Option<Patch> {
        let before = std::mem::take(&mut self.before);
        let differs = |(index, block): &(usize, Block)| self.blocks.get(*index) != Some(block);
        let blocks: Vec<(usize, Block)> = before.into_iter().filter(differs).collect();
        (!blocks.is_empty()).then_some(Patch { blocks })
    }

    /// Puts the patch's contents in place. Returns what takes that back.
    pub fn swap(&mut self, patch: Patch) -> Patch {
        let mut blocks = patch.blocks;
        let count = |block: &Block| {
            block
                .iter()
                .map(|row| row.count_ones() as usize)
                .sum::<usize>()
        };
        for (index, block) in &mut blocks {
            if let Some(place) = self.blocks.get_mut(*index) {
                std::mem::swap(place, block);
                self.marked = self.marked + count(place) - count(block);
                self.changed.insert(*index);
            }
        }
        Patch { blocks }
    }

    /// The blocks that changed since they were last asked for, as areas inside the picture.
    pub fn take_changed(&mut self) -> Vec<Area> {
        let changed = std::mem::take(&mut self.changed);
        changed.into_iter().map(|index| self.area(index)).collect()
    }

    fn area(&self, index: usize) -> Area {
        let (left, top) = (index % self.columns * BLOCK, index / self.columns * BLOCK);
        Area {
            left,
            top,
            right: (left + BLOCK).min(self.bounds.0),
            bottom: (top + BLOCK).min(self.bounds.1),
        }
    }

    /// The border between marked and unmarked pixels inside `area`: its left and upper edge belong to it, and so do the
    /// picture's right and lower edge. Horizontal and vertical lines, straight runs in one piece.
    pub fn outline(&self, area: Area) -> Vec<[[f32; 2]; 2]> {
        let mut lines = Vec::new();
        let last = |end: usize, whole: usize| end + usize::from(end == whole);
        for y in area.top..last(area.bottom, self.bounds.1) {
            let edge = |x: usize| self.at(x, y) != (y > 0 && self.at(x, y - 1));
            runs(area.left..area.right, edge, |from, to| {
                lines.push([[from, y as f32], [to, y as f32]]);
            });
        }
        for x in area.left..last(area.right, self.bounds.0) {
            let edge = |y: usize| self.at(x, y) != (x > 0 && self.at(x - 1, y));
            runs(area.top..area.bottom, edge, |from, to| {
                lines.push([[x as f32, from], [x as f32, to]]);
            });
        }
        lines
    }
}

/// Calls `emit` with start and end of each run of positions on the edge.
fn runs(
    range: std::ops::Range<usize>,
    edge: impl Fn(usize) -> bool,
    mut emit: impl FnMut(f32, f32),
) {
    let mut start = None;
    for position in range.start..=range.end {
        match (position < range.end && edge(position), start) {
            (true, None) => start = Some(position),
            (false, Some(from)) => {
                emit(from as f32, position as f32);
                start = None;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Area, Canvas, Ink};
    use crate::app::mask_painter::shapes::{Span, stroke};
    use crate::data::image::Mask;

    const BOUNDS: (usize, usize) = (150, 70);

    fn striped() -> Mask {
        let values = (0..150 * 70).map(|i| (i % 150) / 7 % 2 == 1).collect();
        Mask::new(150, 70, values).unwrap()
    }

    fn whole() -> Area {
        Area {
            left: 0,
            top: 0,
            right: 150,
            bottom: 70,
        }
    }

    #[test]
    fn a_mask_comes_back_as_it_was() {
        let canvas = Canvas::of(&striped());
        assert_eq!(canvas.to_mask().unwrap(), striped());
        assert_eq!(canvas.marked(), striped().marked());
        let mut other = Canvas::new((3, 3));
        other.draw(&striped());
        assert!(other.is_empty(), "a mask of another size");
    }

    #[test]
    fn spans_across_blocks_mark_each_of_their_pixels_once() {
        let mut canvas = Canvas::new(BOUNDS);
        let span = Span {
            y: 65,
            start: 60,
            end: 130,
        };
        canvas.fill(&[span, span], Ink::Mark);
        assert_eq!(canvas.marked(), 70);
        assert!(!canvas.at(59, 65) && canvas.at(60, 65) && canvas.at(129, 65));
        assert!(!canvas.at(130, 65) && !canvas.at(60, 64) && !canvas.at(999, 9));
        canvas.fill(&[span], Ink::Erase);
        assert!(canvas.is_empty());
    }

    #[test]
    fn only_touched_blocks_are_told_and_only_once() {
        let mut canvas = Canvas::new(BOUNDS);
        canvas.fill(&stroke([70.0, 5.0], [70.0, 5.0], 3.0, BOUNDS), Ink::Mark);
        let area = Area {
            left: 64,
            top: 0,
            right: 128,
            bottom: 64,
        };
        assert_eq!(canvas.take_changed(), [area]);
        assert!(canvas.take_changed().is_empty());
        canvas.fill(
            &stroke([149.0, 69.0], [149.0, 69.0], 1.0, BOUNDS),
            Ink::Mark,
        );
        let [corner] = canvas.take_changed()[..] else {
            panic!("one block")
        };
        assert_eq!((corner.right, corner.bottom), BOUNDS);
    }

    #[test]
    fn a_dab_on_a_large_picture_costs_no_more_than_on_a_small_one() {
        let bounds = (4096, 3000);
        let mut canvas = Canvas::new(bounds);
        canvas.fill(
            &stroke([2000.0, 1500.0], [2000.0, 1500.0], 30.0, bounds),
            Ink::Mark,
        );
        assert!(canvas.take_changed().len() <= 4);
        assert!(canvas.commit().unwrap().weight() <= 4 * 520);
    }

    #[test]
    fn a_step_is_undone_and_done_again_bit_by_bit() {
        let mut canvas = Canvas::of(&striped());
        assert!(canvas.commit().is_none(), "the beginning is no step");
        canvas.fill(
            &stroke([10.0, 10.0], [140.0, 60.0], 9.0, BOUNDS),
            Ink::Erase,
        );
        let after = canvas.to_mask().unwrap();
        let undo = canvas.commit().unwrap();
        let redo = canvas.swap(undo);
        assert_eq!(canvas.to_mask().unwrap(), striped());
        assert_eq!(canvas.marked(), striped().marked());
        canvas.swap(redo);
        assert_eq!(canvas.to_mask().unwrap(), after);
        assert_eq!(canvas.marked(), after.marked());
    }

    #[test]
    fn painting_over_what_is_marked_already_is_no_step() {
        let mut canvas = Canvas::new(BOUNDS);
        let spans = stroke([20.0, 20.0], [20.0, 20.0], 5.0, BOUNDS);
        canvas.fill(&spans, Ink::Mark);
        assert!(canvas.commit().is_some());
        canvas.fill(&spans, Ink::Mark);
        assert!(canvas.commit().is_none());
        canvas.clear();
        canvas.fill(&spans, Ink::Mark);
        assert!(canvas.commit().is_none(), "cleared and painted again");
    }

    #[test]
    fn clearing_and_filling_know_when_they_are_complete() {
        let mut canvas = Canvas::new(BOUNDS);
        for y in 0..70 {
            canvas.fill(&[canvas.row(y)], Ink::Mark);
        }
        assert!(canvas.is_full());
        canvas.clear();
        assert!(canvas.is_empty() && !canvas.is_full());
    }

    #[test]
    fn outlines_of_parts_make_up_the_outline_of_the_whole() {
        let canvas = Canvas::of(&striped());
        let length = |lines: Vec<[[f32; 2]; 2]>| -> f32 {
            let each = lines.iter();
            each.map(|[a, b]| (a[0] - b[0]).abs() + (a[1] - b[1]).abs())
                .sum()
        };
        let mut parts = 0.0;
        for (left, right) in [(0, 64), (64, 128), (128, 150)] {
            for (top, bottom) in [(0, 64), (64, 70)] {
                parts += length(canvas.outline(Area {
                    left,
                    top,
                    right,
                    bottom,
                }));
            }
        }
        let mask = striped();
        let segments = crate::render::mask_outline(mask.values(), 150, 70);
        assert_eq!(parts, length(segments));
        assert_eq!(parts, length(canvas.outline(whole())));
        assert!(Canvas::new(BOUNDS).outline(whole()).is_empty());
    }
}
