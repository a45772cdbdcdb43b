//! The window. The only folder that knows egui; talks to the rest of the program through the worker alone.

pub mod state;
pub mod theme;
