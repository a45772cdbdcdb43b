//! Every number a run reports, with the protocol under which it was measured.

use serde::{Deserialize, Serialize};

use super::{Confusion, ImageMetrics, ImageRow, Limit, PixelMetrics};

/// How the numbers of an evaluation came about; shown wherever they are shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Protocol {
    pub program_version: String,
    pub model: String,
    pub backbone: String,
    /// SHA-256 of the backbone's weights, hexadecimal.
    pub backbone_sha256: String,
    /// The input preset's name, such as `256` or `224crop`, and the network's input size in pixels.
    pub input: String,
    pub input_width: usize,
    pub input_height: usize,
    pub seed: u64,
    /// Always the last of this many epochs; no epoch is picked by looking at the test set.
    pub epochs: usize,
    pub training_pictures: usize,
    /// Good pictures held out of training, from which the limits come.
    pub calibration_pictures: usize,
    /// Real defects the model was trained on, by id; none of them was tested on. `None` for models that learn from good
    /// pictures alone, an empty list where training was purely synthetic.
    #[serde(default)]
    pub seen: Option<Vec<String>>,
    pub test_good: usize,
    pub test_defective: usize,
    /// Pictures that were scored although nobody has judged them; they count in no number. Absent from evaluations of
    /// earlier programs.
    #[serde(default)]
    pub unlabelled: usize,
    /// Defective test pictures without a mask: judged as pictures, absent from the pixel numbers.
    pub without_mask: usize,
    /// Test pictures that could not be read.
    pub unreadable: usize,
    pub image_limit: Limit,
    pub pixel_limit: Limit,
    /// SHA-256 over the names and contents of the training pictures, hexadecimal.
    pub data_fingerprint: String,
    pub device: String,
}

/// The result of judging a model on a test set. The first block repeats the headline numbers under their short names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    pub image_auroc: Option<f64>,
    /// Pixel numbers of this block are on the model's input grid.
    pub pixel_auroc: Option<f64>,
    pub aupro: Option<f64>,
    pub image_ap: Option<f64>,
    pub pixel_ap: Option<f64>,
    /// At the limits the model brought along. Absent from evaluations of earlier programs.
    #[serde(default)]
    pub image_f1: Option<f64>,
    /// Oracle.
    pub image_f1_max: Option<f64>,
    /// Oracle.
    pub pixel_f1_max: Option<f64>,
    /// Decoding and scoring of all pictures, unlabelled ones included, metrics excluded.
    pub seconds: f64,
    pub images_per_second: f64,
    pub protocol: Protocol,
    pub images: Vec<ImageRow>,
    pub image: ImageMetrics,
    pub pixel_at_input: PixelMetrics,
    /// Maps resampled to each picture's own size, original masks; with a crop, only the part the network saw.
    pub pixel_at_original: PixelMetrics,
}

impl Evaluation {
    /// Gathers the parts and repeats the headline numbers. `seconds` is the time for decoding and scoring `images`.
    pub fn new(
        protocol: Protocol,
        images: Vec<ImageRow>,
        image: ImageMetrics,
        pixel_at_input: PixelMetrics,
        pixel_at_original: PixelMetrics,
        seconds: f64,
    ) -> Self {
        Self {
            image_auroc: image.auroc,
            pixel_auroc: pixel_at_input.auroc,
            aupro: pixel_at_input.aupro,
            image_ap: image.average_precision,
            pixel_ap: pixel_at_input.average_precision,
            image_f1: Confusion::at(&images, protocol.image_limit.value).f1(),
            image_f1_max: image.f1_max,
            pixel_f1_max: pixel_at_input.f1_max,
            seconds,
            // Zero where the clock is too coarse: infinity does not survive being saved as JSON.
            images_per_second: if seconds > 0.0 {
                images.len() as f64 / seconds
            } else {
                0.0
            },
            protocol,
            images,
            image,
            pixel_at_input,
            pixel_at_original,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{Evaluation, Protocol};
    use crate::metrics::{ImageMetrics, ImageRow, Limit, PixelMetrics};

    pub(crate) fn protocol() -> Protocol {
        Protocol {
            program_version: "0.1.0".to_owned(),
            model: "cfa".to_owned(),
            backbone: "resnet18".to_owned(),
            backbone_sha256: String::new(),
            input: "224crop".to_owned(),
            input_width: 224,
            input_height: 224,
            seed: 7,
            epochs: 30,
            training_pictures: 188,
            calibration_pictures: 21,
            seen: None,
            test_good: 1,
            test_defective: 1,
            unlabelled: 0,
            without_mask: 0,
            unreadable: 0,
            image_limit: Limit::manual(0.5),
            pixel_limit: Limit::manual(0.25),
            data_fingerprint: String::new(),
            device: "cpu".to_owned(),
        }
    }

    pub(crate) fn evaluation(seconds: f64) -> Evaluation {
        let row = |label: &str, score| ImageRow {
            path: format!("test/{label}/000.png"),
            label: label.to_owned(),
            defect: label.to_owned(),
            score,
        };
        let rows = vec![row("good", 0.1), row("defective", 0.9)];
        let image = ImageMetrics::from_rows(&rows).unwrap();
        let at_input = PixelMetrics {
            auroc: Some(0.98),
            average_precision: Some(0.6),
            f1_max: Some(0.7),
            aupro: Some(0.9),
            ..PixelMetrics::default()
        };
        Evaluation::new(
            protocol(),
            rows,
            image,
            at_input,
            PixelMetrics::default(),
            seconds,
        )
    }

    #[test]
    fn the_headline_repeats_the_image_numbers_and_the_pixel_numbers_at_input_size() {
        let evaluation = evaluation(0.5);
        let image = [
            evaluation.image_auroc,
            evaluation.image_ap,
            evaluation.image_f1_max,
        ];
        let pixel = [
            evaluation.pixel_auroc,
            evaluation.pixel_ap,
            evaluation.pixel_f1_max,
            evaluation.aupro,
        ];
        assert_eq!(image, [Some(1.0); 3]);
        assert_eq!(pixel, [Some(0.98), Some(0.6), Some(0.7), Some(0.9)]);
        assert_eq!(
            (evaluation.seconds, evaluation.images_per_second),
            (0.5, 4.0)
        );
    }

    #[test]
    fn no_time_makes_no_infinite_speed() {
        assert_eq!(evaluation(0.0).images_per_second, 0.0);
    }

    #[test]
    fn an_evaluation_survives_being_saved() {
        let saved = serde_json::to_string(&evaluation(0.5)).unwrap();
        assert_eq!(
            serde_json::from_str::<Evaluation>(&saved).unwrap(),
            evaluation(0.5)
        );
        assert!(saved.contains(r#""image_auroc":1.0"#) && saved.contains(r#""limit":null"#));
    }

    #[test]
    fn an_evaluation_of_an_earlier_program_has_no_unlabelled_pictures() {
        let mut saved = serde_json::to_value(evaluation(0.5)).unwrap();
        let protocol = saved["protocol"].as_object_mut().unwrap();
        assert!(protocol.remove("unlabelled").is_some());
        let read: Evaluation = serde_json::from_value(saved).unwrap();
        assert_eq!(read, evaluation(0.5));
    }
}
