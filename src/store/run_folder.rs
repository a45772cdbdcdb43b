//! Where each file of a run lies, and the order of writing by which an interruption leaves the old state or the new one.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};

use super::atomic::{Sealed, remove_leftovers, unwritable};
use super::maps::{MapReader, MapWriter, SealedMaps};
use super::regions::{self, SealedRegions};
use super::results::EvaluationRecord;
use crate::data::Sample;
use crate::metrics::{DecisionRule, Evaluation, Judgement, RegionTable, Verdict};

pub const MODEL: &str = "model.safetensors";
pub const TRAINING: &str = "training.safetensors";
pub const EVALUATION: &str = "evaluation.json";
pub const SCORES: &str = "scores.csv";

/// What an evaluation measured, complete under temporary names.
#[derive(Debug)]
pub struct Measured {
    pub maps: SealedMaps,
    pub regions: SealedRegions,
    /// One for each picture, of the rule in the model.
    pub verdicts: Vec<Verdict>,
}

/// A folder with a model and, once it was judged, its evaluation:
///
/// ```text
/// model.safetensors      the model; complete by itself
/// training.safetensors   only while a training is not finished: where it stands, to go on from
/// evaluation.json        numbers, pictures, the model's checksum, the name of the file of maps
/// scores.csv             the same scores as a table, with the verdicts at the model's limits
/// maps-HASH.safetensors  raw score maps by sample id
/// regions-HASH.safetensors  how large the regions of each map are at every limit
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes the folder, or takes an existing one whose results will be replaced.
    pub fn create(path: &Path) -> Result<Self> {
        ensure!(
            !path.exists() || path.is_dir(),
            "{} is a file; name a folder for the run",
            path.display()
        );
        fs::create_dir_all(path).map_err(|error| unwritable(path, error))?;
        remove_leftovers(path);
        Ok(Self {
            path: path.to_path_buf(),
        })
    }

    /// A folder that holds a model.
    pub fn open(path: &Path) -> Result<Self> {
        let run = Self::existing(path, MODEL)?;
        let name = path.display();
        if run.model_path().is_file() {
            return Ok(run);
        }
        ensure!(
            !run.training_path().is_file(),
            "the training in {name} was interrupted before it gave a model; \
             go on with `flawscope train --resume {name}`"
        );
        bail!("{name} is not a run folder: it holds no {MODEL}; train a model into it first")
    }

    /// A folder with a training that can go on. It may hold the model of an earlier one, too.
    pub fn open_interrupted(path: &Path) -> Result<Self> {
        let run = Self::existing(path, TRAINING)?;
        let name = path.display();
        if run.training_path().is_file() {
            remove_leftovers(path);
            return Ok(run);
        }
        ensure!(
            !run.model_path().is_file(),
            "nothing to resume in {name}: its training is finished"
        );
        bail!(
            "nothing to resume in {name}: it holds no {TRAINING}; \
             start a training with `flawscope train --out {name}`"
        )
    }

    fn existing(path: &Path, expected: &str) -> Result<Self> {
        let name = path.display();
        ensure!(
            path.exists(),
            "{name} does not exist; expected a run folder with a {expected}"
        );
        ensure!(
            path.is_dir(),
            "{name} is a file; expected a run folder with a {expected}"
        );
        Ok(Self {
            path: path.to_path_buf(),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn model_path(&self) -> PathBuf {
        self.path.join(MODEL)
    }

    pub fn training_path(&self) -> PathBuf {
        self.path.join(TRAINING)
    }

    /// Removes the training's state, for when its model is saved: there is nothing left to resume.
    pub fn finish_training(&self) -> Result<()> {
        remove_if_there(&self.training_path())
    }

    /// Gives an interrupted training up. The folder goes too when nothing else is in it. Says whether it is gone.
    pub fn discard_training(&self) -> Result<bool> {
        self.finish_training()?;
        // The system refuses to remove a folder that holds anything.
        Ok(fs::remove_dir(&self.path).is_ok())
    }

    pub fn evaluation_path(&self) -> PathBuf {
        self.path.join(EVALUATION)
    }

    pub fn scores_path(&self) -> PathBuf {
        self.path.join(SCORES)
    }

    /// Starts the maps of an evaluation; `ids` are the samples' ids.
    pub fn map_writer<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Result<MapWriter> {
        MapWriter::create(&self.path, ids)
    }

    /// Makes an evaluation the run's own. Everything is brought to the disk first; then the maps appear under a new name,
    /// the record that points to them replaces the old one, and what only the old record needed goes.
    pub fn commit_evaluation(
        &self,
        evaluation: Evaluation,
        samples: Vec<Sample>,
        model: &str,
        measured: Measured,
    ) -> Result<()> {
        let Measured {
            maps,
            regions,
            verdicts,
        } = measured;
        let lengths = [evaluation.images.len(), verdicts.len()];
        ensure!(
            lengths == [samples.len(); 2],
            "the evaluation has {} rows and {} verdicts for {} pictures",
            evaluation.images.len(),
            verdicts.len(),
            samples.len()
        );
        let record = EvaluationRecord {
            evaluation,
            model_checksum: model.to_owned(),
            scored_at: seconds_now(),
            maps: Some(maps.name.clone()),
            regions: Some(regions.name.clone()),
            samples,
        };
        let staged = record.stage(&self.evaluation_path())?;
        let scores = record.stage_scores(&self.scores_path(), &verdicts)?;
        let names = [maps.name.clone(), regions.name.clone()];
        maps.publish()?;
        regions.publish()?;
        // A table that belongs to another record would be a lie; a missing one is only missing.
        remove_if_there(&self.scores_path())?;
        staged.publish()?;
        scores.publish()?;
        self.remove_measured_except(&names);
        remove_leftovers(&self.path);
        Ok(())
    }

    /// The evaluation of exactly this model, by its identity; `None` when there is none or it judged another model.
    pub fn evaluation(&self, model: &str) -> Result<Option<EvaluationRecord>> {
        if !self.evaluation_path().exists() {
            return Ok(None);
        }
        let record = EvaluationRecord::read(&self.evaluation_path())?;
        Ok((record.model_checksum == model).then_some(record))
    }

    /// `scores.csv` with the verdicts of another rule, complete under a temporary name.
    pub(super) fn stage_scores(
        &self,
        record: &EvaluationRecord,
        rule: &DecisionRule,
    ) -> Result<Sealed> {
        let regions = self.regions(record)?;
        let judgement = Judgement::of(&record.evaluation.images, regions.as_ref(), rule);
        record.stage_scores(&self.scores_path(), &judgement.verdicts)
    }

    /// The raw score maps behind an evaluation.
    pub fn maps(&self, record: &EvaluationRecord) -> Result<MapReader> {
        let name = record.maps.as_deref();
        let name = name.with_context(|| {
            format!(
                "{} keeps no score maps; evaluate again",
                self.path.display()
            )
        })?;
        MapReader::open(&self.beside(name)?)
    }

    /// The table of regions behind an evaluation; `None` where an earlier program made it without one.
    pub fn regions(&self, record: &EvaluationRecord) -> Result<Option<RegionTable>> {
        let Some(name) = &record.regions else {
            return Ok(None);
        };
        let path = self.beside(name)?;
        let table = regions::read(&path)?;
        ensure!(
            table.pictures() == record.samples.len(),
            "{} measures {} pictures and not the {} of the evaluation; evaluate again",
            path.display(),
            table.pictures(),
            record.samples.len()
        );
        Ok(Some(table))
    }

    /// A file the record names. The record is text that anyone may edit: only a name within this folder is followed.
    fn beside(&self, name: &str) -> Result<PathBuf> {
        ensure!(
            Path::new(name).file_name() == Some(name.as_ref()),
            "{} names a file outside its folder",
            self.evaluation_path().display()
        );
        Ok(self.path.join(name))
    }

    /// Old files that cannot be removed, say because another program reads them, are removed by a later evaluation.
    fn remove_measured_except(&self, current: &[String]) {
        let Ok(entries) = fs::read_dir(&self.path) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let measured = ["maps-", "regions-"].iter().any(|p| name.starts_with(p));
            if measured && name.ends_with(".safetensors") && !current.iter().any(|c| *c == name) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Since 1970; `None` on a computer whose clock stands before that.
fn seconds_now() -> Option<u64> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.ok().map(|since| since.as_secs())
}

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(unwritable(path, error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::{Measured, RunFolder, regions};
    use crate::data::image::Orientation;
    use crate::data::{Label, Sample};
    use crate::metrics::{
        Evaluation, ImageMetrics, ImageRow, Limit, LimitOrigin, MapExtent, PixelMetrics, Point,
        Protocol, RegionTable, Verdict,
    };
    use crate::store::maps::MapWriter;

    /// These maps, and a table of regions for [`samples`].
    pub fn measured(run: &RunFolder, maps: MapWriter) -> Measured {
        let mut table = RegionTable::default();
        for _ in samples() {
            table.push(2.0, &MapExtent::of(&[2.0, 0.0], 2, &[]), &[]);
        }
        Measured {
            maps: maps.seal().unwrap(),
            regions: regions::seal(run.path(), &table).unwrap(),
            verdicts: vec![Verdict::Pass, Verdict::Fail],
        }
    }

    pub fn samples() -> Vec<Sample> {
        let sample = |id: &str, label, defect: &str| Sample {
            id: id.to_owned(),
            image: format!("/data/Schräubchen/{id}").into(),
            masks: Vec::new(),
            label,
            defect: defect.to_owned(),
            orientation: Orientation::Ignore,
        };
        vec![
            sample("test/good/000.png", Label::Good, "good"),
            sample("test/a,b/001.png", Label::Defective, "a,b"),
        ]
    }

    /// An evaluation of [`samples`] whose picture numbers rest on `score`.
    pub fn evaluation(score: f32) -> Evaluation {
        let limit = |value| Limit {
            value,
            origin: LimitOrigin::HeldOutQuantile {
                quantile: 0.95,
                pictures: 20,
            },
        };
        let row = |sample: &Sample, score| ImageRow {
            path: sample.id.clone(),
            label: if sample.label == Label::Good {
                "good"
            } else {
                "defective"
            }
            .to_owned(),
            defect: sample.defect.clone(),
            score,
        };
        let mut image = ImageMetrics::default();
        image.roc.points = vec![
            Point {
                x: 0.0,
                y: 0.0,
                limit: None,
            },
            Point {
                x: 1.0,
                y: 1.0,
                limit: Some(score),
            },
        ];
        let samples = samples();
        Evaluation {
            image_auroc: Some(1.0 / 3.0),
            pixel_auroc: Some(0.1 + 0.2),
            aupro: None,
            image_ap: Some(0.75),
            pixel_ap: None,
            image_f1: Some(0.25),
            image_f1_max: Some(0.5),
            pixel_f1_max: None,
            seconds: 12.5,
            images_per_second: 0.16,
            protocol: protocol(limit(1.0)),
            images: vec![row(&samples[0], 0.5), row(&samples[1], score)],
            image,
            pixel_at_input: PixelMetrics::default(),
            pixel_at_original: PixelMetrics {
                pixels: u64::MAX,
                ..PixelMetrics::default()
            },
        }
    }

    fn protocol(limit: Limit) -> Protocol {
        Protocol {
            program_version: "0.1.0".to_owned(),
            model: "cfa".to_owned(),
            backbone: "resnet18".to_owned(),
            backbone_sha256: "ab".repeat(32),
            input: "256".to_owned(),
            input_width: 256,
            input_height: 256,
            seed: u64::MAX,
            epochs: 30,
            training_pictures: 180,
            calibration_pictures: 20,
            seen: None,
            test_good: 1,
            test_defective: 1,
            unlabelled: 0,
            without_mask: 1,
            unreadable: 0,
            image_limit: limit.clone(),
            pixel_limit: limit,
            data_fingerprint: "cd".repeat(32),
            device: "cpu".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    use tempfile::TempDir;

    use super::samples::{evaluation, measured, samples};
    use super::{MODEL, RunFolder, TRAINING};
    use crate::score_map::ScoreMap;
    use crate::store::maps::MapWriter;

    fn run() -> (TempDir, RunFolder) {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::create(&folder.path().join("a").join("run")).unwrap();
        (folder, run)
    }

    fn maps(run: &RunFolder, value: f32) -> MapWriter {
        let samples = samples();
        let mut writer = run
            .map_writer(samples.iter().map(|s| s.id.as_str()))
            .unwrap();
        for sample in &samples {
            let map = ScoreMap::new(2, 1, vec![value, 0.0]).unwrap();
            writer.push(&sample.id, &map).unwrap();
        }
        writer
    }

    fn commit(run: &RunFolder, value: f32) {
        let maps = maps(run, value);
        run.commit_evaluation(evaluation(value), samples(), "model-1", measured(run, maps))
            .unwrap();
    }

    /// The committed state is wholly that of `value`.
    fn assert_state(run: &RunFolder, value: f32) {
        let record = run.evaluation("model-1").unwrap().unwrap();
        assert_eq!(record.evaluation, evaluation(value));
        assert_eq!(record.samples, samples());
        let maps = run.maps(&record).unwrap();
        assert_eq!(
            maps.read("test/good/000.png").unwrap().values(),
            [value, 0.0]
        );
    }

    #[test]
    fn an_evaluation_comes_back_as_it_was_committed() {
        let (_folder, run) = run();
        assert!(run.evaluation("model-1").unwrap().is_none());
        commit(&run, 2.0);
        assert_state(&run, 2.0);
        let scores = fs::read_to_string(run.scores_path()).unwrap();
        let expected = "path,label,defect,score,verdict\n\
                        test/good/000.png,good,good,0.5,PASS\n\
                        \"test/a,b/001.png\",defective,\"a,b\",2,FAIL\n";
        assert_eq!(scores, expected);
    }

    #[test]
    fn the_headline_numbers_stand_at_the_top_of_the_file() {
        let (_folder, run) = run();
        commit(&run, 2.0);
        let text = fs::read_to_string(run.evaluation_path()).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["image_auroc"], 1.0 / 3.0);
        assert!(json["aupro"].is_null());
        assert_eq!(json["protocol"]["epochs"], 30);
        assert_eq!(json["images"][1]["defect"], "a,b");
    }

    #[test]
    fn an_interruption_leaves_the_old_state_or_the_new_one() {
        let (_folder, run) = run();
        commit(&run, 2.0);
        // Stopped while the maps are written.
        drop(maps(&run, 3.0));
        assert_state(&run, 2.0);
        // Killed there: the temporary file stays.
        fs::write(run.path().join(".flawscope-killed.tmp"), "half").unwrap();
        assert_state(&run, 2.0);
        // Stopped after the maps got their name.
        maps(&run, 3.0).seal().unwrap().publish().unwrap();
        assert_state(&run, 2.0);
        // Stopped after the old table went.
        fs::remove_file(run.scores_path()).unwrap();
        assert_state(&run, 2.0);
        commit(&run, 3.0);
        assert_state(&run, 3.0);
        assert!(run.scores_path().exists());
    }

    #[test]
    fn older_maps_go_when_newer_ones_are_committed() {
        let (_folder, run) = run();
        let count = || {
            let names = fs::read_dir(run.path())
                .unwrap()
                .map(|e| e.unwrap().file_name());
            names
                .filter(|n| n.to_string_lossy().starts_with("maps-"))
                .count()
        };
        commit(&run, 2.0);
        commit(&run, 2.0);
        commit(&run, 3.0);
        assert_eq!(count(), 1);
        assert_state(&run, 3.0);
    }

    #[test]
    fn an_evaluation_of_another_model_counts_as_none() {
        let (_folder, run) = run();
        commit(&run, 2.0);
        assert!(run.evaluation("model-2").unwrap().is_none());
    }

    #[test]
    fn a_garbled_evaluation_is_an_error_with_a_remedy() {
        let (_folder, run) = run();
        fs::write(run.evaluation_path(), "{\"image_auroc\": 1.0").unwrap();
        let error = format!("{:#}", run.evaluation("model-1").unwrap_err());
        assert!(
            error.contains("evaluation.json") && error.contains("evaluate the run again"),
            "{error}"
        );
    }

    #[test]
    fn maps_outside_the_folder_are_not_followed() {
        let (_folder, run) = run();
        commit(&run, 2.0);
        let mut record = run.evaluation("model-1").unwrap().unwrap();
        record.maps = Some("../elsewhere.safetensors".to_owned());
        assert!(run.maps(&record).is_err());
        record.maps = None;
        assert!(run.maps(&record).is_err());
    }

    #[test]
    fn rows_and_pictures_must_match() {
        let (_folder, run) = run();
        let maps = maps(&run, 2.0);
        assert!(
            run.commit_evaluation(evaluation(2.0), Vec::new(), "model-1", measured(&run, maps))
                .is_err()
        );
        assert!(!run.evaluation_path().exists());
    }

    #[test]
    fn a_training_without_a_model_is_said_to_be_interrupted() {
        let (_folder, run) = run();
        fs::write(run.training_path(), "state").unwrap();
        let error = RunFolder::open(run.path()).unwrap_err().to_string();
        let remedy = format!("flawscope train --resume {}", run.path().display());
        assert!(
            error.contains("was interrupted") && error.contains(&remedy),
            "{error}"
        );
        assert_eq!(RunFolder::open_interrupted(run.path()).unwrap(), run);
        // Training again into a folder that already holds a model.
        fs::write(run.model_path(), "model").unwrap();
        assert_eq!(RunFolder::open(run.path()).unwrap(), run);
        assert_eq!(RunFolder::open_interrupted(run.path()).unwrap(), run);
    }

    #[test]
    fn there_is_nothing_to_resume_where_no_training_was_interrupted() {
        let (folder, run) = run();
        let said = |path: &Path| RunFolder::open_interrupted(path).unwrap_err().to_string();
        let empty = said(run.path());
        assert!(
            empty.contains("nothing to resume in") && empty.contains(TRAINING),
            "{empty}"
        );
        fs::write(run.training_path(), "state").unwrap();
        fs::write(run.model_path(), "model").unwrap();
        run.finish_training().unwrap();
        run.finish_training().unwrap();
        let finished = said(run.path());
        assert!(finished.ends_with("its training is finished"), "{finished}");
        assert!(said(&run.model_path()).contains("is a file"));
        assert!(said(&folder.path().join("absent")).contains("does not exist"));
    }

    #[test]
    fn a_discarded_training_takes_an_empty_folder_along_and_nothing_else() {
        let (_folder, run) = run();
        fs::write(run.training_path(), "state").unwrap();
        fs::write(run.model_path(), "model").unwrap();
        assert!(!run.discard_training().unwrap());
        assert!(run.model_path().exists() && !run.training_path().exists());
        fs::remove_file(run.model_path()).unwrap();
        fs::write(run.training_path(), "state").unwrap();
        assert!(run.discard_training().unwrap());
        assert!(!run.path().exists() && run.path().parent().unwrap().exists());
    }

    #[test]
    fn what_an_interrupted_program_left_behind_goes_when_its_training_goes_on() {
        let (_folder, run) = run();
        fs::write(run.training_path(), "state").unwrap();
        let leftover = run.path().join(".flawscope-killed.tmp");
        let yesterday = SystemTime::now() - Duration::from_hours(24);
        let file = fs::File::create(&leftover).unwrap();
        file.set_modified(yesterday).unwrap();
        RunFolder::open_interrupted(run.path()).unwrap();
        assert!(!leftover.exists() && run.training_path().exists());
    }

    #[test]
    fn folders_that_are_no_runs_are_named_with_what_was_expected() {
        let (folder, run) = run();
        let error = RunFolder::open(run.path()).unwrap_err().to_string();
        assert!(
            error.contains("not a run folder") && error.contains(MODEL),
            "{error}"
        );
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(
            RunFolder::open(&file)
                .unwrap_err()
                .to_string()
                .contains("is a file")
        );
        assert!(
            RunFolder::create(&file)
                .unwrap_err()
                .to_string()
                .contains("is a file")
        );
        let absent = RunFolder::open(&folder.path().join("absent"))
            .unwrap_err()
            .to_string();
        assert!(absent.contains("does not exist"), "{absent}");
    }
}
