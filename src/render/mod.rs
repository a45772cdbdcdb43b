//! Numbers to pixels, for the window and for export: pure functions of maps, masks and pictures.

mod contact_sheet;
mod export;
mod heat;
mod letters;
mod outline;
mod palette;
mod shrink;

pub use contact_sheet::{Tile, contact_sheet_png};
pub use export::{export_overlay_png, outlined_rgb, overlay_rgb};
pub use heat::{blend, colourise};
pub use outline::{Segment, contour, mask_outline};
pub use palette::Palette;
pub use shrink::{fitted, shrink_rgb};
