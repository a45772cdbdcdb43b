//! The examples as they are drawn on screen: grouped, with a caption; each becomes a texture when it is first shown.

use std::sync::Arc;

use eframe::egui::{
    Color32, ColorImage, Context, Painter, Rect, Stroke, TextureHandle, TextureOptions, Vec2, pos2,
    vec2,
};

use crate::app::theme;
use crate::data::augment::{Example, ExampleKind, Frame};
use crate::render::mask_outline;
use crate::worker::message::Augmentation;

/// What stands together below one heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Product,
    Good,
    Seen,
    Extended,
    Simulated,
}

impl Group {
    pub const ALL: [Self; 5] = [
        Self::Product,
        Self::Good,
        Self::Seen,
        Self::Extended,
        Self::Simulated,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Product => "Product",
            Self::Good => "Good pictures",
            Self::Seen => "Seen defects",
            Self::Extended => "Extended defects",
            Self::Simulated => "Simulated defects",
        }
    }

    fn of(kind: ExampleKind) -> Self {
        match kind {
            ExampleKind::Good => Self::Good,
            ExampleKind::Seen => Self::Seen,
            ExampleKind::Extended => Self::Extended,
            ExampleKind::Simulated(_) => Self::Simulated,
        }
    }
}

/// What an example shows, below the name of its group.
fn caption(example: &Example) -> String {
    match (example.kind, &example.defect) {
        (ExampleKind::Simulated(source), _) => source.name().to_owned(),
        (_, Some(defect)) => defect.clone(),
        (kind, None) => kind.to_string(),
    }
}

/// One picture of the sheet.
pub struct Shown {
    pub group: Group,
    /// What it shows; empty where the group's name says it all.
    pub caption: String,
    source: Source,
    texture: Option<TextureHandle>,
    /// In pixels of the picture; `None` until it is first drawn.
    outline: Option<Vec<[[f32; 2]; 2]>>,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    Product(usize),
    Example(usize),
}

impl Source {
    fn of(self, drawn: &Augmentation) -> Option<(&Frame, &[bool])> {
        match self {
            Self::Product(index) => {
                let (frame, mask) = drawn.products.get(index)?;
                Some((frame, mask))
            }
            Self::Example(index) => {
                let example = drawn.examples.get(index)?;
                Some((&example.frame, &example.mask))
            }
        }
    }
}

/// All pictures of one sheet, in the order of their groups.
pub struct Pictures {
    drawn: Arc<Augmentation>,
    shown: Vec<Shown>,
}

impl Pictures {
    /// Those of `drawn`, kept in `slot` for as long as it stays the same.
    pub fn of<'a>(slot: &'a mut Option<Self>, drawn: &Arc<Augmentation>) -> &'a mut Self {
        if slot
            .as_ref()
            .is_some_and(|all| !Arc::ptr_eq(&all.drawn, drawn))
        {
            *slot = None;
        }
        slot.get_or_insert_with(|| Self::new(Arc::clone(drawn)))
    }

    fn new(drawn: Arc<Augmentation>) -> Self {
        let shown = |group, caption, source| Shown {
            group,
            caption,
            source,
            texture: None,
            outline: None,
        };
        let products = (0..drawn.products.len())
            .map(|index| shown(Group::Product, String::new(), Source::Product(index)));
        let examples = drawn.examples.iter().enumerate().map(|(index, example)| {
            let group = Group::of(example.kind);
            shown(group, caption(example), Source::Example(index))
        });
        let mut all: Vec<Shown> = products.chain(examples).collect();
        all.sort_by_key(|shown| shown.group);
        Self { drawn, shown: all }
    }

    pub fn len(&self) -> usize {
        self.shown.len()
    }

    pub fn get(&self, index: usize) -> Option<&Shown> {
        self.shown.get(index)
    }

    /// Where the pictures of a group stand among all.
    pub fn range(&self, group: Group) -> std::ops::Range<usize> {
        let from = self.shown.partition_point(|shown| shown.group < group);
        let to = self.shown.partition_point(|shown| shown.group <= group);
        from..to
    }

    /// Width and height in pixels.
    pub fn size(&self, index: usize) -> Vec2 {
        let source = self.shown.get(index).map(|shown| shown.source);
        let found = source.and_then(|source| source.of(&self.drawn));
        found.map_or(Vec2::splat(1.0), |(frame, _)| size_of(frame))
    }

    /// Draws a picture into `rect`, which has its proportions.
    pub fn paint(&mut self, index: usize, painter: &Painter, rect: Rect, outlined: Outlines) {
        let Some(shown) = self.shown.get_mut(index) else {
            return;
        };
        let Some((frame, mask)) = shown.source.of(&self.drawn) else {
            return;
        };
        let texture = shown
            .texture
            .get_or_insert_with(|| texture(painter.ctx(), frame));
        let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        painter.image(texture.id(), rect, whole, Color32::WHITE);
        if outlined == Outlines::Hidden {
            return;
        }
        let outline = shown
            .outline
            .get_or_insert_with(|| mask_outline(mask, frame.width(), frame.height()));
        let scale = rect.size() / size_of(frame);
        let place = |[x, y]: [f32; 2]| rect.min + vec2(x, y) * scale;
        let color = match shown.group {
            Group::Product => theme::PRODUCT,
            _ => theme::MASK,
        };
        let painter = painter.with_clip_rect(rect.intersect(painter.clip_rect()));
        for stroke in [
            Stroke::new(3.0, Color32::from_black_alpha(150)),
            Stroke::new(1.5, color),
        ] {
            for &[from, to] in &*outline {
                painter.line_segment([place(from), place(to)], stroke);
            }
        }
    }
}

/// Whether what is marked is outlined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Outlines {
    #[default]
    Drawn,
    Hidden,
}

impl Outlines {
    pub fn other(self) -> Self {
        match self {
            Self::Drawn => Self::Hidden,
            Self::Hidden => Self::Drawn,
        }
    }
}

fn size_of(frame: &Frame) -> Vec2 {
    vec2(frame.width() as f32, frame.height() as f32)
}

fn texture(ctx: &Context, frame: &Frame) -> TextureHandle {
    let image = ColorImage::from_rgb([frame.width(), frame.height()], frame.rgb());
    ctx.load_texture("example", image, TextureOptions::LINEAR)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Group, Pictures};
    use crate::data::augment::{Example, ExampleKind, ForegroundRule, Frame, Source};
    use crate::worker::message::Augmentation;

    fn frame() -> Frame {
        Frame::new(2, 1, vec![9; 6]).unwrap()
    }

    fn example(kind: ExampleKind, defect: Option<&str>) -> Example {
        Example {
            frame: frame(),
            mask: vec![false, kind != ExampleKind::Good],
            kind,
            good: 0,
            defect: defect.map(str::to_owned),
        }
    }

    fn drawn(examples: Vec<Example>) -> Arc<Augmentation> {
        Arc::new(Augmentation {
            examples,
            products: vec![(Arc::new(frame()), vec![true, false])],
            rule: ForegroundRule::Bright,
            reason: String::new(),
            seen: 1,
        })
    }

    #[test]
    fn pictures_stand_with_their_kind_and_are_captioned_without_repeating_it() {
        let drawn = drawn(vec![
            example(ExampleKind::Simulated(Source::Shuffled), None),
            example(ExampleKind::Good, None),
            example(ExampleKind::Seen, Some("dent")),
        ]);
        let mut slot = None;
        let pictures = Pictures::of(&mut slot, &drawn);
        let captions = |group| -> Vec<&str> {
            let range = pictures.range(group);
            range
                .map(|i| pictures.get(i).unwrap().caption.as_str())
                .collect()
        };
        assert_eq!(captions(Group::Product), [""]);
        assert_eq!(captions(Group::Good), ["good"]);
        assert_eq!(captions(Group::Seen), ["dent"]);
        assert!(captions(Group::Extended).is_empty());
        assert_eq!(captions(Group::Simulated), ["shuffled self"]);
        assert_eq!(pictures.len(), 4);
    }

    #[test]
    fn they_are_made_anew_only_for_another_sheet() {
        let (first, second) = (drawn(Vec::new()), drawn(Vec::new()));
        let mut slot = None;
        Pictures::of(&mut slot, &first).shown[0].outline = Some(Vec::new());
        assert!(Pictures::of(&mut slot, &first).shown[0].outline.is_some());
        assert!(Pictures::of(&mut slot, &second).shown[0].outline.is_none());
    }
}
