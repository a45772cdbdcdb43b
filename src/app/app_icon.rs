//! The program's icon, computed: a ring that looks at a part, and the flaw on it.

use eframe::egui::IconData;

const SIDE: u32 = 128;

/// 128 x 128 pixels, transparent around the ring.
pub fn app_icon() -> IconData {
    let pixels = (0..SIDE * SIDE).flat_map(|i| {
        let at = |step: u32| (step as f32 + 0.5) / SIDE as f32 * 2.0 - 1.0;
        pixel(at(i % SIDE), at(i / SIDE))
    });
    IconData {
        rgba: pixels.collect(),
        width: SIDE,
        height: SIDE,
    }
}

/// One pixel at -1 to 1, layers from the back to the front.
fn pixel(x: f32, y: f32) -> [u8; 4] {
    let layers = [
        (rounded_square(x, y), [0x14, 0x1b, 0x22]),
        (ring(x + 0.1, y + 0.1, 0.48, 0.085), [0x35, 0xc2, 0xb0]),
        (handle(x, y), [0x35, 0xc2, 0xb0]),
        (disc(x + 0.02, y + 0.16, 0.17), [0xff, 0x94, 0x4d]),
    ];
    let mut color = [0.0; 3];
    let mut opacity = 0.0;
    for (distance, layer) in layers {
        let cover = (0.5 - distance * SIDE as f32 / 2.0).clamp(0.0, 1.0);
        for (mixed, channel) in color.iter_mut().zip(layer) {
            *mixed += (f32::from(channel as u8) - *mixed) * cover;
        }
        opacity += (1.0 - opacity) * cover;
    }
    let [r, g, b] = color.map(|channel: f32| channel.round() as u8);
    [r, g, b, (opacity * 255.0).round() as u8]
}

/// Distances to the edges of shapes, negative inside.
fn disc(x: f32, y: f32, radius: f32) -> f32 {
    x.hypot(y) - radius
}

fn ring(x: f32, y: f32, radius: f32, half_width: f32) -> f32 {
    disc(x, y, radius).abs() - half_width
}

fn rounded_square(x: f32, y: f32) -> f32 {
    const CORNER: f32 = 0.42;
    let beyond = |v: f32| (v.abs() - (0.96 - CORNER)).max(0.0);
    beyond(x).hypot(beyond(y)) - CORNER
}

/// A stroke from the ring to the lower right.
fn handle(x: f32, y: f32) -> f32 {
    let along = x.midpoint(y).clamp(0.33, 0.6);
    (x - along).hypot(y - along) - 0.1
}

#[cfg(test)]
mod tests {
    use super::{SIDE, app_icon};

    #[test]
    fn the_icon_is_opaque_in_the_middle_and_clear_in_the_corners() {
        let icon = app_icon();
        let alpha = |x: u32, y: u32| icon.rgba[((y * SIDE + x) * 4 + 3) as usize];
        assert_eq!(icon.rgba.len(), (SIDE * SIDE * 4) as usize);
        assert_eq!(alpha(SIDE / 2, SIDE / 2), 255);
        assert_eq!(alpha(0, 0), 0);
    }
}
