//! The window. The only folder that knows egui; talks to the rest of the program through the worker alone.

mod badge;
mod cached;
mod colour_bar;
mod controls;
mod gallery;
mod gallery_panel;
mod icons;
pub mod inspect_panel;
pub mod job_progress;
mod limit_control;
mod local_render;
mod lru;
mod numbers;
mod picture;
pub mod recent;
pub mod state;
pub mod textures;
pub mod theme;
mod verdict;
mod view_controls;
mod viewer;
mod viewport;
pub mod words;
