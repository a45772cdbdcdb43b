//! Finds the masks of the plain layout: which folder of masks belongs to which folder of pictures.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::Found;
use crate::data::layout::Role;
use crate::data::masks::MaskIndex;
use crate::data::names::subject;
use crate::data::sample::{Finding, Sample, Severity};

/// All folders of masks.
pub(super) struct Shelf {
    masks: Vec<MaskFolder>,
}

struct MaskFolder {
    index: MaskIndex,
    scope: Scope,
}

/// Whose masks a folder holds.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Scope {
    /// Those of one folder of pictures.
    One { key: String, role: Role },
    /// Those of every folder below this one.
    Below(String),
}

impl Shelf {
    pub(super) fn new(folders: &[(&Found, Role)]) -> Result<Self> {
        let pictures: Vec<(&str, Role)> = folders
            .iter()
            .filter(|(_, role)| *role != Role::Masks)
            .map(|(f, role)| (f.key.as_str(), *role))
            .collect();
        let masks = folders
            .iter()
            .filter(|(_, role)| *role == Role::Masks)
            .map(|(folder, _)| {
                Ok(MaskFolder {
                    index: MaskIndex::of(&folder.path)?,
                    scope: scope(&folder.key, &pictures),
                })
            });
        Ok(Self {
            masks: masks.collect::<Result<_>>()?,
        })
    }

    /// The masks of a picture in the folder `key`: from that folder's own masks first.
    pub(super) fn take(&mut self, picture: &Path, key: &str) -> Vec<PathBuf> {
        let is_own = |masks: &&mut MaskFolder| matches!(&masks.scope, Scope::One { key: owner, .. } if owner == key);
        let (own, others): (Vec<_>, Vec<_>) = self.masks.iter_mut().partition(is_own);
        let common = others
            .into_iter()
            .filter(|masks| matches!(&masks.scope, Scope::Below(top) if is_below(key, top)));
        let mut found = own
            .into_iter()
            .chain(common)
            .map(|masks| masks.index.take(picture));
        found.find(|files| !files.is_empty()).unwrap_or_default()
    }

    /// Warnings about masks that no picture asked for; those of good pictures mark nothing and are no surprise.
    pub(super) fn unclaimed(&self) -> Vec<Finding> {
        let expected = |masks: &&MaskFolder| match &masks.scope {
            Scope::One { role, .. } => *role == Role::Defective,
            Scope::Below(_) => true,
        };
        self.masks
            .iter()
            .filter(expected)
            .flat_map(|masks| masks.index.unclaimed())
            .collect()
    }
}

/// Looks for the pictures nearest to a folder of masks: climbs until there are folders of pictures below, takes the only
/// one, or the only one with the same subject (`crack_masks` for `crack`), else all of them.
fn scope(masks: &str, pictures: &[(&str, Role)]) -> Scope {
    let tops = masks
        .rmatch_indices('/')
        .map(|(at, _)| &masks[..at])
        .chain(["."]);
    for top in tops {
        let near: Vec<&(&str, Role)> = pictures
            .iter()
            .filter(|(key, _)| is_below(key, top))
            .collect();
        let mine = subject(leaf(masks));
        let alike: Vec<_> = near
            .iter()
            .filter(|(key, _)| !mine.is_empty() && subject(leaf(key)) == mine)
            .collect();
        match (near.as_slice(), alike.as_slice()) {
            ([], _) => {}
            ([(key, role)], _) | (_, [(key, role)]) => {
                return Scope::One {
                    key: (*key).to_owned(),
                    role: *role,
                };
            }
            _ => return Scope::Below(top.to_owned()),
        }
    }
    Scope::Below(".".to_owned())
}

fn is_below(key: &str, top: &str) -> bool {
    top == "."
        || key
            .strip_prefix(top)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn leaf(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

/// Takes away masks that more than one picture asked for, because nobody can tell whose they are, and warns about each.
pub(super) fn drop_shared(samples: &mut [Sample]) -> Vec<Finding> {
    let mut claims: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    for sample in samples.iter() {
        for mask in &sample.masks {
            claims
                .entry(mask.clone())
                .or_default()
                .push(sample.id.clone());
        }
    }
    claims.retain(|_, ids| ids.len() > 1);
    let shared: BTreeSet<&PathBuf> = claims.keys().collect();
    for sample in samples {
        if sample.masks.iter().any(|mask| shared.contains(mask)) {
            sample.masks.clear();
        }
    }
    let findings = claims.iter().map(|(mask, ids)| {
        let text = format!(
            "may be the mask of {}: it is not used; keep masks in one folder per defect type",
            ids.join(" or ")
        );
        Finding::new(Severity::Warning, mask, text)
    });
    findings.collect()
}

#[cfg(test)]
mod tests {
    use super::{Role, Scope, scope};

    #[test]
    fn masks_belong_to_the_pictures_nearest_to_them() {
        let pictures = [
            ("good", Role::Good),
            ("bad/crack", Role::Defective),
            ("bad/dent", Role::Defective),
            ("cam2/cut/rgb", Role::Defective),
            ("cam2/good/rgb", Role::Good),
        ];
        let one = |key: &str, role| Scope::One {
            key: key.into(),
            role,
        };
        assert_eq!(
            scope("bad/crack/masks", &pictures),
            one("bad/crack", Role::Defective)
        );
        assert_eq!(
            scope("masks/crack", &pictures),
            one("bad/crack", Role::Defective)
        );
        assert_eq!(
            scope("dent_masks", &pictures),
            one("bad/dent", Role::Defective)
        );
        assert_eq!(
            scope("cam2/cut/gt", &pictures),
            one("cam2/cut/rgb", Role::Defective)
        );
        assert_eq!(
            scope("cam2/good/gt", &pictures),
            one("cam2/good/rgb", Role::Good)
        );
        assert_eq!(scope("bad/masks", &pictures), Scope::Below("bad".into()));
        assert_eq!(scope("masks", &pictures), Scope::Below(".".into()));
    }
}
