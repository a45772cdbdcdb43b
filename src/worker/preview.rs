//! Decodes what the user looks at: the picture, its mask, and its score map from the run folder.

use std::sync::Arc;

use anyhow::{Context, Result};

use super::Previews;
use super::message::{Detail, Preview, PreviewRequest};
use crate::data::image::{Mask, Picture, decode_for};
use crate::render::shrink_rgb;
use crate::score_map::ScoreMap;
use crate::store::MapReader;

/// Longest side of a thumbnail, pixels.
const THUMBNAIL: usize = 96;
/// Longest side of a full preview, pixels: what every GPU can hold as one texture.
const FULL: usize = 4096;
