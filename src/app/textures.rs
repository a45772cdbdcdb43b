//! Pictures on their way from the preview lane to the screen: what has arrived, what is still wanted, and the textures
//! made from it. Bounded; a texture is made again only when what it shows changes. Decodes nothing.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use eframe::egui::{ColorImage, Context, TextureHandle, TextureOptions};

use super::lru::Lru;
use super::picture::{self, Picture};
use crate::data::Sample;
use crate::worker::message::{Detail, Preview, PreviewKey, PreviewRequest};

/// At most 96 x 96 pixels each: with their textures 33 MB in all, however many pictures the gallery lists.
const THUMBNAILS: usize = 512;
const PICTURES: usize = 8;
/// Bytes of full pictures kept beside the current one; eight pictures of 12 megapixels would take a gigabyte.
const PICTURE_BYTES: usize = 384 << 20;

/// What can be shown now.
#[derive(Debug)]
pub enum Shown<'a, T: ?Sized> {
    /// Asked for; nothing to show yet.
    Loading,
    /// One sentence for the user.
    Failed(&'a str),
    Ready(&'a mut T),
}

impl<'a, T> Shown<'a, T> {
    fn of(slot: &'a mut Slot<T>) -> Self {
        match slot {
            Ok(value) => Self::Ready(value),
            Err(message) => Self::Failed(message),
        }
    }
}

type Slot<T> = Result<T, String>;

/// A small picture; becomes a texture when it is first shown.
struct Thumbnail {
    preview: Arc<Preview>,
    texture: Option<TextureHandle>,
}

/// The bounded cache. Ask for a picture while drawing; hand [`Textures::take_requests`] to the worker afterwards.
pub struct Textures {
    thumbnails: Lru<PreviewKey, Slot<Thumbnail>>,
    pictures: Lru<PreviewKey, Slot<Picture>>,
    /// Asked for and not answered.
    pending: HashSet<PreviewKey>,
    wanted: Vec<PreviewRequest>,
}

impl Default for Textures {
    fn default() -> Self {
        Self {
            thumbnails: Lru::new(THUMBNAILS, usize::MAX),
            pictures: Lru::new(PICTURES, PICTURE_BYTES),
            pending: HashSet::new(),
            wanted: Vec::new(),
        }
    }
}

impl Textures {
    /// Takes the preview lane's answer.
    pub fn insert(&mut self, key: PreviewKey, result: Result<Arc<Preview>, String>) {
        self.pending.remove(&key);
        match key.detail {
            Detail::Thumbnail => self.thumbnails.insert(key, result.map(Thumbnail::new), 1),
            Detail::Full => {
                let weight = result
                    .as_ref()
                    .map_or(1, |preview| picture::weight(preview));
                self.pictures.insert(key, result.map(Picture::new), weight);
            }
        }
    }

    /// A request that gave way to newer ones will not be answered: it may be asked for again.
    pub fn give_up(&mut self, key: &PreviewKey) {
        self.pending.remove(key);
    }

    /// Forgets everything: another run, or the same folder with other contents, was opened.
    pub fn clear(&mut self) {
        self.thumbnails.clear();
        self.pictures.clear();
        self.pending.clear();
        self.wanted.clear();
    }

    /// What was shown this frame and is missing, the most wanted last: the lane answers the newest request first.
    pub fn take_requests(&mut self) -> Vec<PreviewRequest> {
        let mut requests = std::mem::take(&mut self.wanted);
        requests.reverse();
        requests
    }

    /// A small picture of a sample; asks for it when it is missing.
    pub fn thumbnail(
        &mut self,
        ctx: &Context,
        run: Option<&Path>,
        sample: &Sample,
    ) -> Shown<'_, TextureHandle> {
        let key = key_of(run, sample, Detail::Thumbnail);
        self.want(&key, sample);
        match self.thumbnails.get(&key) {
            None => Shown::Loading,
            Some(Err(message)) => Shown::Failed(message),
            Some(Ok(thumbnail)) => Shown::Ready(thumbnail.texture(ctx, &key.sample)),
        }
    }

    /// The whole picture of a sample with its map and mask; asks for it when it is missing.
    pub fn picture(&mut self, run: Option<&Path>, sample: &Sample) -> Shown<'_, Picture> {
        let key = key_of(run, sample, Detail::Full);
        self.want(&key, sample);
        self.pictures.get(&key).map_or(Shown::Loading, Shown::of)
    }

    /// Asks for a picture that will probably be looked at next.
    pub fn prefetch(&mut self, run: Option<&Path>, sample: &Sample) {
        self.want(&key_of(run, sample, Detail::Full), sample);
    }

    fn want(&mut self, key: &PreviewKey, sample: &Sample) {
        let there = match key.detail {
            Detail::Thumbnail => self.thumbnails.contains(key),
            Detail::Full => self.pictures.contains(key),
        };
        if !there && self.pending.insert(key.clone()) {
            self.wanted.push(PreviewRequest {
                key: key.clone(),
                sample: sample.clone(),
            });
        }
    }
}

impl Thumbnail {
    fn new(preview: Arc<Preview>) -> Self {
        Self {
            preview,
            texture: None,
        }
    }

    fn texture(&mut self, ctx: &Context, name: &str) -> &mut TextureHandle {
        let preview = &self.preview;
        self.texture.get_or_insert_with(|| {
            let image = ColorImage::from_rgb([preview.width, preview.height], &preview.rgb);
            ctx.load_texture(name, image, TextureOptions::LINEAR)
        })
    }
}

fn key_of(run: Option<&Path>, sample: &Sample, detail: Detail) -> PreviewKey {
    PreviewKey {
        run: run.map(Path::to_path_buf),
        // Ids are unique within a category only.
        sample: match run {
            Some(_) => sample.id.clone(),
            None => sample.image.display().to_string(),
        },
        detail,
    }
}
