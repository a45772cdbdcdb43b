//! What the window asks to be noted about a category, and what it hears back. Plain owned data.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::data::Sample;
use crate::data::image::Mask;

/// One thing to be done with the notes in `folder`. Orders are carried out one after the other, also while a job runs.
#[derive(Debug, Clone)]
pub struct Order {
    pub folder: PathBuf,
    pub task: Task,
}

#[derive(Debug, Clone)]
pub enum Task {
    /// Read the notes and compare them with the pictures they are about.
    Open { samples: Vec<Sample> },
    /// Replace the list of pictures a model may learn from.
    SetSeen { ids: Vec<String> },
    /// Read the mask that was painted for this picture.
    ReadPainted { sample: Sample },
    /// Read the data set's own mask of this picture.
    ReadOwn { sample: Sample },
    /// Keep a painted mask of this picture.
    SaveMask { sample: Sample, mask: Arc<Mask> },
    /// Forget the painted mask of this picture.
    RemoveMask { sample: Sample },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Opened(Notes),
    Mask(Mask),
    Done,
}

/// What is noted about a category.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// Ids of the pictures a model may learn from. They may name pictures that are gone.
    pub seen: BTreeSet<String>,
    /// Ids of the pictures with a painted mask.
    pub painted: BTreeSet<String>,
    /// Painted masks that cannot be used, with the whole story.
    pub broken: BTreeMap<String, String>,
}
