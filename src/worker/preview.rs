//! Decodes what the user looks at: the picture, its mask, and its score map out of the run folder.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, Result};

use super::Previews;
use super::message::{Detail, Preview, PreviewRequest};
use crate::data::Sample;
use crate::data::image::{Geometry, InputSpec, Picture, Size, read_picture};
use crate::render::{fitted, shrink_rgb};
use crate::score_map::ScoreMap;
use crate::store::RunFolder;
use crate::store::maps::MapReader;

/// Longest side of a thumbnail, pixels.
const THUMBNAIL: usize = 96;
/// Longest side of a full preview, pixels.
const FULL: usize = 4096;

/// Reads previews from the user's pictures and from run folders.
#[derive(Default)]
pub struct DiskPreviews {
    /// The run whose maps were asked for last.
    maps: RefCell<Option<RunMaps>>,
}

impl Previews for DiskPreviews {
    fn load(&self, request: &PreviewRequest) -> Result<Preview, String> {
        let preview = match request.key.detail {
            Detail::Thumbnail => thumbnail(&request.sample),
            Detail::Full => self.full(request),
        };
        preview.map_err(|error| format!("{error:#}"))
    }
}

impl DiskPreviews {
    fn full(&self, request: &PreviewRequest) -> Result<Preview> {
        let sample = &request.sample;
        let picture = read_picture(&sample.image, sample.orientation)?;
        let mut preview = shown(&picture, FULL)?;
        preview.mask = mask(sample, picture.size(), &preview)?;
        if let Some(run) = &request.key.run
            && let Some((map, input)) = self.map(run, &sample.id)?
        {
            preview.map_rect = map_rect(&Geometry::new(&input, picture.size()), &preview);
            preview.map = Some(Arc::new(map));
        }
        Ok(preview)
    }

    /// A sample's map and the input it spans; `None` where the run was not evaluated on it.
    fn map(&self, run: &Path, sample: &str) -> Result<Option<(ScoreMap, InputSpec)>> {
        let mut opened = self.maps.borrow_mut();
        if !opened.as_ref().is_some_and(|maps| maps.is_current(run)) {
            *opened = RunMaps::open(run)?;
        }
        let Some(maps) = opened.as_ref().filter(|maps| maps.reader.contains(sample)) else {
            return Ok(None);
        };
        Ok(Some((maps.reader.read(sample)?, maps.input)))
    }
}

/// The maps of one evaluated run.
struct RunMaps {
    run: PathBuf,
    /// When the evaluation was written: a later one has other maps.
    written: SystemTime,
    reader: MapReader,
    input: InputSpec,
}

impl RunMaps {
    fn open(path: &Path) -> Result<Option<Self>> {
        // A lone model file has no pictures, so none of its own is ever asked for.
        let Ok(run) = RunFolder::open(path) else {
            return Ok(None);
        };
        let Some(written) = written(path) else {
            return Ok(None);
        };
        let model = crate::store::model_file::inspect(&run.model_path())?;
        let Some(record) = run.evaluation(model.identity())? else {
            return Ok(None);
        };
        Ok(Some(Self {
            run: path.to_path_buf(),
            written,
            reader: run.maps(&record)?,
            input: model.meta.input,
        }))
    }

    fn is_current(&self, run: &Path) -> bool {
        self.run == run && written(run) == Some(self.written)
    }
}

fn written(run: &Path) -> Option<SystemTime> {
    let record = RunFolder::open(run).ok()?.evaluation_path();
    record.metadata().ok()?.modified().ok()
}

fn thumbnail(sample: &Sample) -> Result<Preview> {
    let picture = read_picture(&sample.image, sample.orientation)?;
    shown(&picture, THUMBNAIL)
}

/// The picture at a size for the screen; no mask, no map.
fn shown(picture: &Picture, longest: usize) -> Result<Preview> {
    let Size { width, height } = picture.size();
    let to = fitted(width, height, longest);
    Ok(Preview {
        width: to.0,
        height: to.1,
        rgb: shrink_rgb(&picture.to_rgb8(), (width, height), to)?,
        image_width: width,
        image_height: height,
        mask: None,
        map: None,
        map_rect: [0.0, 0.0, to.0 as f32, to.1 as f32],
    })
}

/// The mask at the shown size; `None` where nobody drew one.
fn mask(sample: &Sample, picture: Size, preview: &Preview) -> Result<Option<Vec<bool>>> {
    if sample.masks.is_empty() {
        return Ok(None);
    }
    let mask = sample
        .mask(picture)
        .with_context(|| format!("the mask of {}", sample.id))?;
    let to = Size {
        width: preview.width,
        height: preview.height,
    };
    Ok(mask.map(|mask| mask.resized(to).into_values()))
}

/// Where the network's input lies on the shown picture.
fn map_rect(geometry: &Geometry, preview: &Preview) -> [f32; 4] {
    let covered = geometry.covered();
    let scale = preview.width as f32 / preview.image_width as f32;
    [covered.left, covered.top, covered.width, covered.height].map(|length| length * scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Label;
    use crate::data::image::Orientation;
    use crate::worker::message::PreviewKey;

    fn request(image: &Path, detail: Detail) -> PreviewRequest {
        PreviewRequest {
            key: PreviewKey {
                run: None,
                sample: "part.png".to_owned(),
                detail,
            },
            sample: Sample {
                id: "part.png".to_owned(),
                image: image.to_path_buf(),
                masks: Vec::new(),
                label: Label::Good,
                defect: "good".to_owned(),
                orientation: Orientation::Ignore,
            },
        }
    }

    #[test]
    fn thumbnails_are_small_and_full_previews_keep_the_pictures_size() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("part.png");
        image::RgbImage::from_pixel(300, 150, image::Rgb([9, 80, 200]))
            .save(&path)
            .unwrap();
        let previews = DiskPreviews::default();
        let small = previews.load(&request(&path, Detail::Thumbnail)).unwrap();
        assert_eq!(
            (small.width, small.height, small.image_width),
            (96, 48, 300)
        );
        let full = previews.load(&request(&path, Detail::Full)).unwrap();
        assert_eq!((full.width, full.height), (300, 150));
        assert_eq!(full.rgb[..3], [9, 80, 200]);
        assert!(full.map.is_none() && full.mask.is_none());
    }

    #[test]
    fn a_picture_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("broken.png");
        std::fs::write(&path, "not a picture").unwrap();
        let error = DiskPreviews::default()
            .load(&request(&path, Detail::Full))
            .unwrap_err();
        assert!(error.contains("broken.png"), "{error}");
    }
}
