//! Seen defects and painted masks: ticking, drawing, painting with the pointer, saving; on real pictures and real notes.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers, Pos2, Theme, lerp};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use flawscope::app::state::{MaskKind, OpenData, State};
use flawscope::app::{App, Services, UserFolders};
use flawscope::data::Sample;
use flawscope::data::synthetic::{SampleSettings, generate};
use flawscope::store::annotations::Annotations;
use flawscope::worker::{DiskPreviews, PipelineJobs};
use tempfile::TempDir;

use super::support::soft_renderer::SoftRenderer;
use super::support::window::Window;

const TALL: [f32; 2] = [1280.0, 1300.0];
const THEMES: [(Theme, &str); 2] = [(Theme::Dark, "dark"), (Theme::Light, "light")];

/// A window on a small sample data set in which one picture has no mask.
struct Studio {
    harness: Harness<'static, App>,
    _home: TempDir,
}

impl Studio {
    fn open(theme: Theme) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut studio = Self::open_in(home, theme);
        studio.until("notes read", |state| {
            let data = state.data.as_ref();
            data.is_some_and(|data| data.notes().is_some())
        });
        studio
    }

    fn open_in(home: TempDir, theme: Theme) -> Self {
        let folders = UserFolders::new(home.path());
        let settings = SampleSettings::with_count(16);
        generate(&folders.sample(), &settings, &|_| true).unwrap();
        std::fs::remove_file(first_mask(&folders.sample())).unwrap();
        let started = Instant::now();
        let services = Services {
            jobs: Box::new(PipelineJobs),
            previews: Box::new(DiskPreviews::default()),
            dialog: |_| None,
            clock: Box::new(move || started.elapsed().as_secs_f64()),
            folders,
            session: None,
        };
        let harness = Harness::builder()
            .with_size(TALL)
            .with_theme(theme)
            .renderer(SoftRenderer::default())
            .build_eframe(|cc| App::new(&cc.egui_ctx, cc.storage, services).unwrap());
        let mut studio = Self {
            harness,
            _home: home,
        };
        studio.until("weights listed", |state| state.weights.is_some());
        studio.click("Try the sample data set");
        studio.until("sample opened", |state| state.data.is_some());
        studio
    }

    fn until(&mut self, what: &str, wanted: impl Fn(&State) -> bool) {
        let patience = Instant::now() + Duration::from_secs(30);
        while Instant::now() < patience {
            self.harness.run_steps(1);
            if wanted(self.harness.state().state()) {
                self.harness.run_steps(3);
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("not reached: {what}\n{:#?}", self.harness.state().state());
    }

    fn until_shown(&mut self, text: &str) {
        for _ in 0..1000 {
            self.harness.run_steps(1);
            if self.shows(text) {
                self.harness.run_steps(3);
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("never shown: {text}");
    }

    fn shows(&self, text: &str) -> bool {
        let mut found = self.harness.query_all_by_label_contains(text);
        found.next().is_some()
    }

    fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.harness.run_steps(4);
    }

    fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.harness.run_steps(4);
    }

    fn data(&self) -> &OpenData {
        self.harness.state().state().data.as_ref().unwrap()
    }

    fn without_mask(&self) -> Sample {
        let mut defective = self.data().defective();
        defective
            .find(|sample| sample.masks.is_empty())
            .unwrap()
            .clone()
    }

    fn paint(&mut self, verb: &str, sample: &Sample) {
        self.click(&format!("{verb} mask {}", short(sample)));
        self.until_shown("px marked");
    }

    /// A point of the picture on screen, as shares of the view.
    fn at(&self, x: f32, y: f32) -> Pos2 {
        let rect = self.harness.get_by_label("Picture to paint on").rect();
        Pos2::new(
            lerp(rect.left()..=rect.right(), x),
            lerp(rect.top()..=rect.bottom(), y),
        )
    }

    fn stroke(&mut self, from: (f32, f32), to: (f32, f32)) {
        let (from, to) = (self.at(from.0, from.1), self.at(to.0, to.1));
        self.harness.hover_at(from);
        self.harness.run_steps(1);
        self.harness.drag_at(from);
        self.harness.run_steps(1);
        self.harness.hover_at(to);
        self.harness.run_steps(1);
        self.harness.drop_at(to);
        self.harness.run_steps(3);
    }

    fn tap(&mut self, x: f32, y: f32) {
        self.stroke((x, y), (x, y));
    }

    /// How many pixels are marked, as the line below the picture says.
    fn marked(&self) -> usize {
        use egui_kittest::kittest::NodeT;
        let node = self.harness.get_by_label_contains("px marked");
        let text = node
            .accesskit_node()
            .label()
            .or(node.accesskit_node().value());
        let text = text.unwrap().replace(',', "");
        text.split(' ').next().unwrap().parse().unwrap()
    }

    fn annotations(&self) -> Annotations {
        Annotations::open(self.data().annotations().unwrap()).unwrap()
    }

    fn picture(&mut self, name: &str) {
        if let Some(folder) = std::env::var_os("FLAWSCOPE_SCREENSHOTS") {
            let path = PathBuf::from(folder).join(format!("{name}.png"));
            self.harness.render().unwrap().save(path).unwrap();
        }
    }

    /// Waits until no more thumbnails arrive: for a second nothing changed.
    fn until_still(&mut self) {
        let mut before = self.harness.render().unwrap();
        let mut still = 0;
        for _ in 0..300 {
            std::thread::sleep(Duration::from_millis(100));
            self.harness.run_steps(2);
            let now = self.harness.render().unwrap();
            still = if now == before { still + 1 } else { 0 };
            if still == 10 {
                return;
            }
            before = now;
        }
        panic!("the window never came to rest");
    }

    fn resize(&mut self, size: [f32; 2]) {
        self.harness.set_size(size.into());
        self.harness.run_steps(6);
    }

    fn snapshot(&mut self, name: &str) {
        if cfg!(not(windows)) {
            self.harness.remove_cursor();
            self.harness.run_steps(4);
            self.harness.snapshot(name);
        }
    }
}

fn first_mask(sample: &Path) -> PathBuf {
    let mut folders = vec![sample.to_path_buf()];
    let mut masks = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().contains("_mask.") {
                masks.push(path);
            }
        }
    }
    masks.sort();
    masks.remove(0)
}

/// A picture's name as the card tells it.
fn short(sample: &Sample) -> String {
    let parts: Vec<&str> = sample.id.rsplitn(3, '/').collect();
    format!("{}/{}", parts[1], parts[0])
}

#[test]
fn ticked_pictures_are_kept_beside_the_data_and_told_when_they_cannot_teach() {
    let mut studio = Studio::open(Theme::Light);
    assert!(studio.shows("never used for testing"));
    assert!(studio.shows("0 of 15 ticked"));
    let bare = studio.without_mask();
    studio.click(&format!("Seen {}", short(&bare)));
    assert_eq!(studio.data().seen(), std::slice::from_ref(&bare.id));
    assert!(studio.shows("1 of 15 ticked"));
    assert!(studio.shows("1 ticked picture has no mask"));
    for _ in 0..200 {
        if studio.annotations().seen == std::slice::from_ref(&bare.id) {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(studio.annotations().seen, std::slice::from_ref(&bare.id));
    studio.click("Look again");
    studio.until("notes read again", |state| {
        let data = state.data.as_ref();
        data.is_some_and(|data| data.notes().is_some()) && state.job.is_none()
    });
    assert_eq!(studio.data().seen(), std::slice::from_ref(&bare.id));
    studio.click(&format!("Seen {}", short(&bare)));
    assert!(studio.shows("0 of 15 ticked"));
}

#[test]
fn ten_are_drawn_from_all_types_again_by_the_same_seed_and_cleared() {
    let mut studio = Studio::open(Theme::Dark);
    studio.click("Draw 10");
    let drawn = studio.data().seen();
    assert_eq!(drawn.len(), 10);
    for sample in studio.data().defective() {
        let of_type = drawn
            .iter()
            .filter(|id| id.contains(&format!("/{}/", sample.defect)));
        assert!(of_type.count() >= 2, "{}", sample.defect);
    }
    assert!(!drawn.contains(&studio.without_mask().id));
    studio.harness.run_steps(40);
    studio.picture("seen-card-dark");
    studio.click("Clear");
    assert!(studio.data().seen().is_empty());
    studio.click("Draw 10");
    assert_eq!(studio.data().seen(), drawn);
    studio.click("Ticked only");
    let boxes = studio.harness.query_all_by_role(Role::CheckBox).count();
    assert!(boxes <= 11, "{boxes}");
}

#[test]
fn a_painted_stroke_can_be_undone_redone_and_saved() {
    let mut studio = Studio::open(Theme::Dark);
    let sample = studio.without_mask();
    studio.paint("Paint", &sample);
    assert_eq!(studio.marked(), 0);
    studio.stroke((0.4, 0.4), (0.6, 0.5));
    let stroke = studio.marked();
    assert!(stroke > 100);
    studio.picture("painter-dark");
    studio.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(studio.marked(), 0);
    studio.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    assert_eq!(studio.marked(), stroke);
    studio.press(Modifiers::COMMAND, Key::Z);
    studio.press(Modifiers::COMMAND, Key::Y);
    assert_eq!(studio.marked(), stroke);
    studio.click("Save mask");
    studio.until("saved", |state| {
        let data = state.data.as_ref().unwrap();
        data.mask_kind(&sample) == MaskKind::Painted
    });
    assert!(studio.shows("painted") && !studio.shows("px marked"));
    let mut samples = [sample.clone()];
    studio.annotations().apply(&mut samples).unwrap();
    let mask = flawscope::data::image::read_mask(&samples[0].masks[0]).unwrap();
    assert_eq!(mask.marked(), stroke);

    studio.paint("Edit", &sample);
    assert_eq!(studio.marked(), stroke);
    studio.click("Remove painted mask…");
    studio.click("Remove");
    studio.until("removed", |state| {
        let data = state.data.as_ref().unwrap();
        data.mask_kind(&sample) == MaskKind::Missing
    });
}

#[test]
fn polygon_eraser_sizes_and_the_data_sets_own_mask() {
    let mut studio = Studio::open(Theme::Light);
    let own = studio
        .data()
        .defective()
        .find(|sample| !sample.masks.is_empty());
    let own = own.unwrap().clone();
    studio.paint("Edit", &own);
    let first = studio.marked();
    assert!(first > 0);
    studio.click("Clear");
    assert_eq!(studio.marked(), 0);

    studio.press(Modifiers::NONE, Key::P);
    for (x, y) in [(0.45, 0.4), (0.55, 0.4), (0.55, 0.5), (0.5, 0.9)] {
        studio.tap(x, y);
    }
    studio.press(Modifiers::NONE, Key::Backspace);
    studio.tap(0.45, 0.5);
    studio.press(Modifiers::NONE, Key::Enter);
    let square = studio.marked();
    assert!(square > 1000, "{square}");
    studio.tap(0.1, 0.1);
    studio.press(Modifiers::NONE, Key::Escape);

    studio.press(Modifiers::NONE, Key::E);
    studio.press(Modifiers::NONE, Key::CloseBracket);
    studio.stroke((0.45, 0.45), (0.55, 0.45));
    assert!(studio.marked() < square);
    studio.picture("painter-light");

    studio.click("Start from the data set's own mask");
    for _ in 0..100 {
        studio.harness.run_steps(1);
        if studio.marked() == first {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(studio.marked(), first);
    studio.click("Cancel");
    assert!(studio.shows("Discard what you painted?"));
    studio.click("Keep painting");
    studio.click("Cancel");
    studio.click("Discard");
    assert!(!studio.shows("px marked"));
    assert_eq!(studio.data().mask_kind(&own), MaskKind::Own);
}

#[test]
fn notes_that_cannot_be_understood_are_told_in_the_card_and_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let folders = UserFolders::new(home.path());
    let notes = folders.annotations(&folders.sample(), "bearing_cover");
    std::fs::create_dir_all(&notes).unwrap();
    let manifest = notes.join("annotations.json");
    std::fs::write(&manifest, "[").unwrap();
    let mut studio = Studio::open_in(home, Theme::Light);
    studio.until_shown("cannot be read");
    assert!(studio.shows("annotations.json cannot be read; repair it, or move it away"));
    assert!(!studio.shows("Draw 10"));
    assert_eq!(std::fs::read_to_string(manifest).unwrap(), "[");
}

#[test]
fn unsaved_strokes_are_not_lost_to_another_data_set() {
    let mut studio = Studio::open(Theme::Light);
    let sample = studio.without_mask();
    studio.paint("Paint", &sample);
    studio.stroke((0.4, 0.4), (0.6, 0.5));
    let stroke = studio.marked();
    studio.press(Modifiers::COMMAND, Key::Num2);
    studio.press(Modifiers::COMMAND, Key::Num1);
    assert_eq!(studio.marked(), stroke, "another place and back");
    let other = std::sync::Arc::new(super::support::window::Dropped(PathBuf::from("/other")));
    studio.harness.input_mut().dropped_files.push(other);
    studio.harness.run_steps(4);
    assert!(studio.shows("A mask is being painted"));
    assert_eq!(studio.marked(), stroke);
}

#[test]
fn the_card_and_the_painter_look_as_they_did() {
    let mut studio = Studio::open(Theme::Dark);
    studio.click("Draw 10");
    let bare = studio.without_mask();
    studio.click(&format!("Seen {}", short(&bare)));
    studio.resize([960.0, 640.0]);
    let draw = studio.harness.get_by_label("Worth a look");
    draw.scroll_to_me();
    studio.until_still();
    for (theme, name) in THEMES {
        studio.harness.ctx.set_theme(theme);
        studio.snapshot(&format!("seen_card_{name}"));
    }
    studio.resize(TALL);
    studio.paint("Paint", &bare);
    // The smallest window there is.
    studio.resize([720.0, 480.0]);
    studio.stroke((0.4, 0.47), (0.43, 0.52));
    for (theme, name) in THEMES {
        studio.harness.ctx.set_theme(theme);
        studio.snapshot(&format!("mask_painter_{name}"));
    }
}

#[test]
fn painting_goes_on_while_a_training_runs_and_what_cannot_be_kept_stays_on_screen() {
    let mut window = Window::training(Theme::Dark);
    window.press(Modifiers::COMMAND, Key::Num1);
    window.harness.set_size(TALL.into());
    window.settle();
    window.click("Paint mask broken_large/002.png");
    window.until_shown("px marked");
    window.click("Save mask");
    assert!(window.shows("Nothing is marked: paint over the defect, then save"));
    let middle = window
        .harness
        .get_by_label("Picture to paint on")
        .rect()
        .center();
    window.harness.hover_at(middle);
    window.settle();
    window.harness.drag_at(middle);
    window.harness.drop_at(middle);
    window.settle();
    window.click("Save mask");
    assert!(window.shows("The whole picture is marked"));
    for _ in 0..9 {
        window.press(Modifiers::NONE, Key::OpenBracket);
    }
    window.press(Modifiers::NONE, Key::E);
    let corner = middle + eframe::egui::vec2(20.0, 20.0);
    window.harness.hover_at(corner);
    window.settle();
    window.harness.drag_at(corner);
    window.harness.drop_at(corner);
    window.settle();
    window.click("Save mask");
    // The made-up picture does not exist.
    window.until("refused", |state| !state.messages.is_empty());
    assert!(window.shows("The mask was not saved"));
    assert!(window.shows("px marked"), "the strokes stay");
}
