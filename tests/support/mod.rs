//! What the tests of the window share: a window without a screen, jobs that say what a test tells them, made-up data.

pub mod fake_jobs;
#[expect(dead_code, reason = "the places of a run use more of it")]
#[path = "../gui_inspect/fake_run.rs"]
pub mod fake_run;
pub mod made_up;
pub mod soft_renderer;
pub mod window;
