//! One finished picture of the set: which one it is decides every random choice in it.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::mask;
use super::scene::Scene;
use super::{SampleSettings, Shot};

/// 8-bit RGB pixels and, for a defective part, its mask; both row-major and square.
pub struct Picture {
    pub rgb: Vec<u8>,
    pub mask: Option<Vec<bool>>,
}

/// Draws one picture. Each has its own random stream, so neither the other pictures nor the number of threads matter.
pub fn draw(shot: Shot, settings: &SampleSettings) -> Picture {
    let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
    rng.set_stream(stream(shot));
    let mut scene = Scene::draw(&mut rng);
    let clean = scene.photograph(settings.size);
    let Shot::Defective { defect, index } = shot else {
        return Picture {
            rgb: scene.camera.digitise(&clean, &mut rng),
            mask: None,
        };
    };
    let spread = (settings.per_defect - 1).max(1) as f32;
    defect.inflict(&mut scene.part, index as f32 / spread, &mut rng);
    let damaged = scene.photograph(settings.size);
    let gap = defect.gap() * settings.size as f32 / 320.0;
    Picture {
        rgb: scene.camera.digitise(&damaged, &mut rng),
        mask: Some(mask::changed(&clean, &damaged, settings.size, gap)),
    }
}

/// A number of its own for every picture that can be.
fn stream(shot: Shot) -> u64 {
    let (group, index) = match shot {
        Shot::Train { index } => (0, index),
        Shot::TestGood { index } => (1, index),
        Shot::Defective { defect, index } => (2 + defect as u64, index),
    };
    (group << 32) | index as u64
}
