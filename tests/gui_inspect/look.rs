//! Writes pictures of both places into the folder named by `FLAWSCOPE_LOOK`, to be looked at by people.

use std::path::Path;

use eframe::egui::Theme;
use flawscope::app::state::Place;

use super::{Driver, driver, settle};

fn save(harness: &mut Driver, folder: &Path, name: &str) {
    let picture = harness.render().expect("the window can be drawn");
    picture
        .save(folder.join(name))
        .expect("the folder can be written");
}

#[test]
fn pictures_to_look_at() {
    let Ok(folder) = std::env::var("FLAWSCOPE_LOOK") else {
        println!("skipped: FLAWSCOPE_LOOK is not set");
        return;
    };
    let folder = Path::new(&folder);
    for (size, name) in [([1000.0, 650.0], "small"), ([1600.0, 1000.0], "large")] {
        for theme in [Theme::Dark, Theme::Light] {
            for place in [Place::Inspect] {
                let mut harness = driver(place, size);
                harness.ctx.set_theme(theme);
                settle(&mut harness);
                save(
                    &mut harness,
                    folder,
                    &format!("{place:?}-{name}-{theme:?}.png").to_lowercase(),
                );
            }
        }
    }
}
