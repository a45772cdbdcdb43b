//! The window. The only folder that knows egui; talks to the rest of the program through the worker alone.

pub mod job_progress;
pub mod recent;
pub mod state;
pub mod theme;
pub mod words;
