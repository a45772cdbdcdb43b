//! Numbers to pixels, for the window and for export: pure functions of maps, masks and pictures.

mod export;
mod heat;
mod outline;
mod palette;
mod shrink;

pub use export::export_overlay_png;
pub use heat::{blend, colourise};
pub use outline::{Segment, contour, mask_outline};
pub use palette::Palette;
pub use shrink::{fitted, shrink_rgb};
