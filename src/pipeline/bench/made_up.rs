//! Made-up numbers to measure with where pictures would not matter: score maps with defects.

use crate::metrics::PixelAccumulator;

/// The side of a map, as of `MVTec` AD's bottles.
pub const SIDE: usize = 900;
/// As many as there are test pictures of bottles.
pub const MAPS: usize = 83;

/// One smooth hill on noise, and a mask around its top.
pub struct Map {
    pub scores: Vec<f32>,
    pub mask: Vec<bool>,
}

impl Map {
    pub fn draw(side: usize, number: usize) -> Self {
        let (x0, y0) = place(number, side);
        let radius = side as f32 / 12.0;
        let distance = |at: usize| {
            let (x, y) = ((at % side) as f32, (at / side) as f32);
            (x - x0).hypot(y - y0) / radius
        };
        let noise = |at: usize| ((at * 7919 + number) as f32 * 0.618).sin() * 0.1;
        let score = |at: usize| 1.0 / (1.0 + distance(at).powi(2)) + noise(at);
        Self {
            scores: (0..side * side).map(score).collect(),
            mask: (0..side * side).map(|at| distance(at) < 0.8).collect(),
        }
    }
}

fn place(number: usize, side: usize) -> (f32, f32) {
    let side = side as f32;
    let share = |salt: f32| 0.2 + 0.6 * (number as f32 * salt).fract();
    (side * share(0.618), side * share(0.414))
}

/// All pixel metrics of these maps, every fourth of them good.
pub fn pixel_metrics(maps: &[Map], side: usize) -> anyhow::Result<Option<f64>> {
    let mut accumulator = PixelAccumulator::new();
    for (number, map) in maps.iter().enumerate() {
        let mask = (number % 4 > 0).then_some(map.mask.as_slice());
        accumulator.add(&map.scores, mask, side, side)?;
    }
    Ok(accumulator.finish(0.5).aupro)
}

#[cfg(test)]
mod tests {
    use super::{Map, pixel_metrics};

    #[test]
    fn the_hills_are_found_but_not_perfectly_covered() {
        let maps: Vec<Map> = (0..8).map(|number| Map::draw(64, number)).collect();
        let aupro = pixel_metrics(&maps, 64).unwrap().unwrap();
        assert!(aupro > 0.8 && aupro < 1.0, "{aupro}");
    }
}
