//! What the tests of the window share: a window without a screen, jobs that say what a test tells them, made-up data.

pub mod fake_jobs;
pub mod made_up;
pub mod soft_renderer;
pub mod window;
