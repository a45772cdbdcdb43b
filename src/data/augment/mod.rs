//! The examples that PRN is trained on: good pictures, seen defects, seen defects on other parts, and simulated ones.
//! Pictures of the network's input size in, the same out; no tensors, and no files but a folder of textures.

mod augmenter;
mod colour;
mod draw;
mod extended;
mod foreground;
mod frame;
mod marks;
mod perlin;
mod procedural;
mod regions;
mod settings;
mod simulated;
mod sources;
mod textures;
mod warp;

#[cfg(test)]
mod speed;
#[cfg(test)]
mod tests;

use std::fmt;

pub use augmenter::{AugmentError, Augmenter};
pub use foreground::{Foreground, ForegroundRule};
pub use frame::{Frame, MarkedFrame};
pub use settings::{
    AugmentSettings, BesideProduct, Edges, ExtendedSettings, SimulatedSettings, SourceShares, Turn,
};
pub use textures::{Textures, read_textures};

/// What an example shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExampleKind {
    /// A good picture.
    Good,
    /// A seen defect as it is.
    Seen,
    /// A seen defect, varied, on a good picture.
    Extended,
    /// A made-up defect on a good picture.
    Simulated(Source),
}

/// What a simulated defect is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The good picture itself, cut into a grid and shuffled.
    Shuffled,
    /// Textures and marks drawn by code.
    Procedural,
    /// Another good picture.
    OtherGood,
    /// A picture of the user's folder of textures.
    Folder,
}

impl Source {
    pub const ALL: [Self; 4] = [
        Self::Shuffled,
        Self::Procedural,
        Self::OtherGood,
        Self::Folder,
    ];

    /// As it is shown to people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shuffled => "shuffled self",
            Self::Procedural => "drawn marks and textures",
            Self::OtherGood => "other good picture",
            Self::Folder => "texture folder",
        }
    }
}

impl fmt::Display for ExampleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good => f.write_str("good"),
            Self::Seen => f.write_str("seen"),
            Self::Extended => f.write_str("extended"),
            Self::Simulated(source) => write!(f, "simulated: {}", source.name()),
        }
    }
}

/// A picture with the truth about each of its pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    pub frame: Frame,
    /// Row-major, one value a pixel; empty of marks exactly for good pictures.
    pub mask: Vec<bool>,
    pub kind: ExampleKind,
    /// The good picture it shows or was made from; of a seen defect its place among the seen.
    pub good: usize,
    /// The type of the seen defect that it shows, if it shows one.
    pub defect: Option<String>,
}

impl Example {
    /// What it shows, with the type of the defect where it has one.
    pub fn caption(&self) -> String {
        match &self.defect {
            Some(defect) => format!("{}: {defect}", self.kind),
            None => self.kind.to_string(),
        }
    }
}
