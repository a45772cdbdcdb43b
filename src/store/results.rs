//! The evaluation record and the tables people open in a spreadsheet.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::atomic::{Sealed, Staged, folder_of, unwritable, write_atomically};
use crate::data::Sample;
use crate::metrics::{Evaluation, Verdict};

/// `evaluation.json`: the evaluation's own fields at the top level, then what ties it to its run. Its appearance is what
/// makes an evaluation exist.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationRecord {
    #[serde(flatten)]
    pub evaluation: Evaluation,
    /// Identifies the model that was judged; with any other model the evaluation is stale. Other limits make no other model.
    pub model_checksum: String,
    /// When the pictures were scored, in seconds since 1970, UTC. Absent from evaluations of earlier programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scored_at: Option<u64>,
    /// Name of the file of raw score maps beside this one.
    pub maps: Option<String>,
    /// Name of the table of regions beside this one. Absent from evaluations of earlier programs.
    #[serde(default)]
    pub regions: Option<String>,
    /// The evaluated pictures, in the order of the evaluation's `images`.
    pub samples: Vec<Sample>,
}

impl EvaluationRecord {
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display();
        let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
        serde_json::from_reader(BufReader::new(file)).with_context(|| {
            format!("{name} is not an evaluation this program understands; evaluate the run again")
        })
    }

    /// Everything but the renaming.
    pub(super) fn stage(&self, path: &Path) -> Result<Sealed> {
        let mut staged = Staged::in_folder(folder_of(path))?;
        let written = serde_json::to_writer_pretty(&mut staged, self).map_err(from_json);
        let written = written.and_then(|()| Ok(staged.write_all(b"\n")?));
        written.map_err(|error| unwritable(path, error))?;
        staged.seal(path.to_path_buf())
    }

    /// `scores.csv` of this evaluation with the verdicts of the rule in force, all but the renaming.
    pub(super) fn stage_scores(&self, path: &Path, verdicts: &[Verdict]) -> Result<Sealed> {
        let mut table = csv_row(&["path", "label", "defect", "score", "verdict"]);
        for (row, verdict) in self.evaluation.images.iter().zip(verdicts) {
            table += &csv_row(&[
                &row.path,
                &row.label,
                &row.defect,
                &row.score.to_string(),
                verdict.word(),
            ]);
        }
        let mut staged = Staged::in_folder(folder_of(path))?;
        let written = staged.write_all(table.as_bytes());
        written.map_err(|error| unwritable(path, error))?;
        staged.seal(path.to_path_buf())
    }
}

/// The disk's own error, if that was it, for its remedy.
fn from_json(error: serde_json::Error) -> anyhow::Error {
    if error.is_io() {
        std::io::Error::from(error).into()
    } else {
        error.into()
    }
}

/// One picture scored outside an evaluation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PredictionRow<'a> {
    pub path: &'a str,
    /// `None` when the picture could not be scored.
    pub score: Option<f32>,
    pub verdict: &'a str,
    pub error: Option<&'a str>,
}

/// Writes the table of a prediction: `path,score,verdict,error`.
pub fn write_predictions(path: &Path, rows: &[PredictionRow<'_>]) -> Result<()> {
    write_atomically(path, |out| {
        out.write_all(csv_row(&["path", "score", "verdict", "error"]).as_bytes())?;
        for row in rows {
            let score = row.score.map(|score| score.to_string()).unwrap_or_default();
            let error = row.error.unwrap_or_default();
            out.write_all(csv_row(&[row.path, &score, row.verdict, error]).as_bytes())?;
        }
        Ok(())
    })
}

/// One line of a table, quoted as RFC 4180 has it.
pub fn csv_row(fields: &[&str]) -> String {
    let quoted: Vec<String> = fields.iter().map(|field| csv_field(field)).collect();
    quoted.join(",") + "\n"
}

fn csv_field(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{PredictionRow, csv_row, write_predictions};

    #[test]
    fn only_fields_that_need_quotes_get_them() {
        assert_eq!(csv_row(&["a b", "1.5", ""]), "a b,1.5,\n");
        assert_eq!(
            csv_row(&["a,b", "say \"hi\"", "two\nlines"]),
            "\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\"\n"
        );
    }

    #[test]
    fn predictions_list_scores_and_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scores.csv");
        let scored = PredictionRow {
            path: "a.png",
            score: Some(0.25),
            verdict: "PASS",
            error: None,
        };
        let broken = PredictionRow {
            path: "b,c.png",
            score: None,
            verdict: "ERROR",
            error: Some("cut short"),
        };
        write_predictions(&path, &[scored, broken]).unwrap();
        let expected = "path,score,verdict,error\na.png,0.25,PASS,\n\"b,c.png\",,ERROR,cut short\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    }
}
