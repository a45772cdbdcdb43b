//! The window. The only folder that knows egui; talks to the rest of the program through the worker alone.

mod cached;
mod gallery;
pub mod job_progress;
mod local_render;
mod lru;
mod numbers;
mod picture;
pub mod recent;
pub mod state;
pub mod textures;
pub mod theme;
mod verdict;
mod viewer;
mod viewport;
pub mod words;
