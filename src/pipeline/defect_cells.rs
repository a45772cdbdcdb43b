//! Which map pixels each true defect of a picture lies on. Small defects that would vanish from a mask at input size keep
//! at least one.

use crate::data::image::{Geometry, InputSpec, Mask, Size};
use crate::metrics::DefectCells;
use crate::metrics::region::Regions;
use crate::score_map::ScoreMap;

/// The 8-connected regions of a mask at the picture's own size, as they lie on its map.
pub fn defect_cells(mask: &Mask, spec: &InputSpec, map: &ScoreMap) -> Vec<DefectCells> {
    let Size { width, height } = mask.size();
    let geometry = Geometry::new(spec, mask.size());
    let input = spec.size();
    let axis = |of: &dyn Fn(f32) -> f32, pixels: usize, input: usize, cells: usize| {
        (0..pixels)
            .map(|pixel| {
                let position = of(pixel as f32 + 0.5) * cells as f32 / input as f32;
                (position >= 0.0 && position < cells as f32).then_some(position as u32)
            })
            .collect::<Vec<Option<u32>>>()
    };
    let columns = axis(
        &|x| geometry.input_from_image(x, 0.0).0,
        width,
        input.width,
        map.width(),
    );
    let rows = axis(
        &|y| geometry.input_from_image(0.0, y).1,
        height,
        input.height,
        map.height(),
    );
    let regions = Regions::of(mask.values(), width);
    let mut defects: Vec<DefectCells> = regions
        .sizes
        .iter()
        .map(|&size| DefectCells {
            area: size as f64,
            cells: Vec::new(),
        })
        .collect();
    for run in &regions.runs {
        let Some(row) = rows[run.row] else { continue };
        let seen = columns[run.from..run.to].iter().flatten();
        let cells = seen.map(|column| row * map.width() as u32 + column);
        defects[run.region].cells.extend(cells);
    }
    for defect in &mut defects {
        defect.cells.sort_unstable();
        defect.cells.dedup();
    }
    defects
}

/// The area of a map pixel in pixels of a picture of this size.
pub fn pixels_per_cell(spec: &InputSpec, picture: Size, map: &ScoreMap) -> f64 {
    let covered = Geometry::new(spec, picture).covered();
    let cells = map.values().len().max(1);
    f64::from(covered.width) * f64::from(covered.height) / cells as f64
}

#[cfg(test)]
mod tests {
    use super::{defect_cells, pixels_per_cell};
    use crate::data::image::{InputPreset, InputSpec, Mask, Size};
    use crate::score_map::ScoreMap;

    const PICTURE: Size = Size {
        width: 1024,
        height: 1024,
    };

    fn mask(marked: impl Fn(usize, usize) -> bool) -> Mask {
        let pixels = (0..PICTURE.pixels()).map(|i| marked(i % 1024, i / 1024));
        Mask::new(1024, 1024, pixels.collect()).unwrap()
    }

    fn map(side: usize) -> ScoreMap {
        ScoreMap::new(side, side, vec![0.0; side * side]).unwrap()
    }

    #[test]
    fn each_region_keeps_its_own_area_and_at_least_one_map_pixel() {
        let spec = InputSpec::for_pictures(InputPreset::Resize256, PICTURE).unwrap();
        let mask = mask(|x, y| (x, y) == (5, 9) || (x >= 1016 && y >= 1020));
        let defects = defect_cells(&mask, &spec, &map(256));
        let told: Vec<_> = defects.iter().map(|d| (d.area, d.cells.clone())).collect();
        assert_eq!(told[0], (1.0, vec![2 * 256 + 1]));
        assert_eq!(told[1], (32.0, vec![255 * 256 + 254, 255 * 256 + 255]));
        let coarse = defect_cells(&mask, &spec, &map(2));
        assert_eq!(coarse[1].cells, [3]);
        assert_eq!(pixels_per_cell(&spec, PICTURE, &map(256)), 16.0);
    }

    #[test]
    fn what_the_crop_hides_lies_on_no_map_pixel() {
        let spec = InputSpec::for_pictures(InputPreset::Resize256Crop224, PICTURE).unwrap();
        let mask = mask(|x, y| (x < 3 && y < 3) || (x == 512 && y == 512));
        let defects = defect_cells(&mask, &spec, &map(224));
        assert_eq!((defects[0].area, defects[0].cells.len()), (9.0, 0));
        assert_eq!(defects[1].cells, [112 * 224 + 112]);
    }
}
