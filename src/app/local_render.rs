//! Stand-in for `render` until it lands: palettes, colouring, contour and mask outline as pure functions.

use crate::score_map::ScoreMap;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Palette {
    #[default]
    Inferno,
    Viridis,
    Cividis,
    Turbo,
}

impl Palette {
    pub const ALL: [Self; 4] = [Self::Inferno, Self::Viridis, Self::Cividis, Self::Turbo];

    pub fn name(self) -> &'static str {
        match self {
            Self::Inferno => "Inferno",
            Self::Viridis => "Viridis",
            Self::Cividis => "Cividis",
            Self::Turbo => "Turbo",
        }
    }

    pub fn colour(self, share: f32) -> [u8; 3] {
        let gradient = match self {
            Self::Inferno => colorous::INFERNO,
            Self::Viridis => colorous::VIRIDIS,
            Self::Cividis => colorous::CIVIDIS,
            Self::Turbo => colorous::TURBO,
        };
        gradient.eval_continuous(f64::from(share.clamp(0.0, 1.0))).as_array()
    }
}

/// RGBA of a map, transparent below `floor`.
pub fn colourise(map: &ScoreMap, scale: (f32, f32), palette: Palette, floor: Option<f32>) -> Vec<u8> {
    let table: Vec<[u8; 3]> = (0..256).map(|i| palette.colour(i as f32 / 255.0)).collect();
    let span = (scale.1 - scale.0).max(f32::MIN_POSITIVE);
    let texel = |&value: &f32| {
        let [r, g, b] = table[(((value - scale.0) / span).clamp(0.0, 1.0) * 255.0).round() as usize];
        let alpha = if floor.is_some_and(|floor| value < floor) { 0 } else { 255 };
        [r, g, b, alpha]
    };
    map.values().iter().flat_map(texel).collect()
}

/// Segments around everything at or above `limit`, in map pixels.
pub fn contour(map: &ScoreMap, limit: f32) -> Vec<[[f32; 2]; 2]> {
    let mut segments = Vec::new();
    let (w, h) = (map.width() as isize, map.height() as isize);
    let inside = |x: isize, y: isize| x >= 0 && y >= 0 && x < w && y < h;
    let value = |x: isize, y: isize| {
        let at = map.at(x.clamp(0, w - 1) as usize, y.clamp(0, h - 1) as usize).unwrap_or(limit);
        if inside(x, y) { at - limit } else { -(at - limit).abs().max(f32::MIN_POSITIVE) }
    };
    for y in -1..h {
        for x in -1..w {
            let corners = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)];
            let values = corners.map(|(x, y)| value(x, y));
            if values.iter().all(|v| *v >= 0.0) || values.iter().all(|v| *v < 0.0) {
                continue;
            }
            let mut points = Vec::new();
            for i in 0..4 {
                let (a, b) = (values[i], values[(i + 1) % 4]);
                if (a >= 0.0) != (b >= 0.0) {
                    let t = a / (a - b);
                    let (p, q) = (corners[i], corners[(i + 1) % 4]);
                    points.push([
                        p.0 as f32 + (q.0 - p.0) as f32 * t + 0.5,
                        p.1 as f32 + (q.1 - p.1) as f32 * t + 0.5,
                    ]);
                }
            }
            segments.extend(points.chunks_exact(2).map(|pair| [pair[0], pair[1]]));
        }
    }
    segments
}

/// Segments between marked and unmarked pixels, in mask pixels; straight runs are one segment.
pub fn outline(mask: &[bool], width: usize, height: usize) -> Vec<[[f32; 2]; 2]> {
    let at = |x: isize, y: isize| {
        x >= 0 && y >= 0 && x < width as isize && y < height as isize && mask[y as usize * width + x as usize]
    };
    let mut segments = Vec::new();
    runs(height, width, |line, i| at(i, line) != at(i, line - 1), |line, a, b| {
        segments.push([[a, line], [b, line]]);
    });
    runs(width, height, |line, i| at(line, i) != at(line - 1, i), |line, a, b| {
        segments.push([[line, a], [line, b]]);
    });
    segments
}

fn runs(lines: usize, length: usize, edge: impl Fn(isize, isize) -> bool, mut emit: impl FnMut(f32, f32, f32)) {
    for line in 0..=lines as isize {
        let mut start = None;
        for i in 0..=length as isize {
            let on = i < length as isize && edge(line, i);
            match (on, start) {
                (true, None) => start = Some(i),
                (false, Some(from)) => {
                    emit(line as f32, from as f32, i as f32);
                    start = None;
                }
                _ => {}
            }
        }
    }
}
