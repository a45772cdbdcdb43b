//! The segmentation loss, `mean SmoothL1(s - m) + weight * mean Focal(s, m)` of probabilities `s = sigmoid(logits)` and
//! masks `m`, and its gradient in closed form.
//!
//! With `t` the logit of the right answer, `p = sigmoid(t)` and `q = 1 - p`: `Focal = -0.5 q^4 ln p`
//! (Lin et al. 2017 with alpha 0.5 and gamma 4) and `dFocal/dt = 0.5 q^4 (4 p ln p - q)`. `ln p` is taken of the logit
//! directly, so that hopeless pixels keep their gradient; the label smoothing of 1e-5 some add to it is left out.

use candle_core::{Result, Tensor};

/// One batch's loss and what follows from it.
pub struct Measured {
    pub smooth_l1: f32,
    pub focal: f32,
    /// Of the whole loss with respect to the logits, detached.
    pub gradient: Tensor,
}

/// Of `logits` and masks of 0 and 1, both `(B, 1, H, W)`. `focal_weight` weighs the gradient.
pub fn measure(logits: &Tensor, masks: &Tensor, focal_weight: f64) -> Result<Measured> {
    let logits = logits.detach();
    let count = logits.elem_count() as f64;
    let sign = masks.affine(2.0, -1.0)?;
    let t = (&logits * &sign)?;
    let (p, q, ln_p) = (sigmoid(&t)?, sigmoid(&t.neg()?)?, ln_sigmoid(&t)?);
    // |s - m| = q everywhere, and never above 1: the quadratic part of SmoothL1.
    let smooth_l1 = (q.sqr()?.mean_all()? * 0.5)?;
    let q4 = q.sqr()?.sqr()?;
    let focal = ((&q4 * &ln_p)?.mean_all()? * -0.5)?;
    // d(0.5 q^2)/dt = -q * q p
    let first = (q.sqr()? * &p)?.neg()?;
    let second = ((((p * ln_p)? * 4.0)? - &q)? * q4)?;
    let by_t = (first + (second * (0.5 * focal_weight))?)?;
    Ok(Measured {
        smooth_l1: smooth_l1.to_scalar()?,
        focal: focal.to_scalar()?,
        gradient: ((by_t * sign)? * (1.0 / count))?,
    })
}

/// `1 / (1 + exp(-x))`.
pub fn sigmoid(x: &Tensor) -> Result<Tensor> {
    (x.neg()?.exp()? + 1.0)?.recip()
}

/// `ln sigmoid(x) = min(x, 0) - ln(1 + exp(-|x|))`, exact on either side.
fn ln_sigmoid(x: &Tensor) -> Result<Tensor> {
    let softening = (x.abs()?.neg()?.exp()? + 1.0)?.log()?;
    x.minimum(0.0)? - softening
}

#[cfg(test)]
mod tests {
    use candle_core::{Device, Tensor};

    use super::measure;

    fn tensor(values: &[f32]) -> Tensor {
        Tensor::from_slice(values, (1, 1, 1, values.len()), &Device::Cpu).unwrap()
    }

    fn loss(logits: &[f32], masks: &[f32]) -> f64 {
        let measured = measure(&tensor(logits), &tensor(masks), 5.0).unwrap();
        f64::from(measured.smooth_l1) + 5.0 * f64::from(measured.focal)
    }

    const LOGITS: [f32; 4] = [0.0, 2.0, -3.0, 1.0];
    const MASKS: [f32; 4] = [0.0, 1.0, 0.0, 0.0];

    #[test]
    fn the_loss_is_that_of_the_published_formula() {
        let measured = measure(&tensor(&LOGITS), &tensor(&MASKS), 5.0).unwrap();
        assert!((measured.smooth_l1 - 0.100_113).abs() < 1e-6);
        assert!((measured.focal - 0.052_307).abs() < 1e-6);
    }

    /// The focal loss with label smoothing, element by element, as others compute it.
    #[test]
    fn leaving_out_the_smoothing_hardly_changes_anything() {
        let expected = [0.021_658, 0.000_013, 0.0, 0.187_533];
        for ((logit, mask), expected) in LOGITS.into_iter().zip(MASKS).zip(expected) {
            let s = 1.0 / (1.0 + (-f64::from(logit)).exp());
            let right = if mask > 0.5 { s } else { 1.0 - s };
            let p = (1.0 - 1e-5) * right + 1e-5 * (1.0 - right) + 1e-5;
            let smoothed = -0.5 * (1.0 - p).powi(4) * p.ln();
            assert!((smoothed - expected).abs() < 1e-6, "{smoothed}");
            let ours = measure(&tensor(&[logit]), &tensor(&[mask]), 5.0).unwrap();
            assert!((f64::from(ours.focal) - smoothed).abs() < 3e-5);
        }
        assert!((loss(&LOGITS, &MASKS) - 0.361_618).abs() < 1e-4);
    }

    #[test]
    fn the_gradient_is_the_slope() {
        let logits = [0.3, -1.7, 4.0, -6.0, 2.5];
        let masks = [1.0, 0.0, 0.0, 1.0, 1.0];
        let measured = measure(&tensor(&logits), &tensor(&masks), 5.0).unwrap();
        let gradient = measured
            .gradient
            .flatten_all()
            .unwrap()
            .to_vec1::<f32>()
            .unwrap();
        for (i, found) in gradient.into_iter().enumerate() {
            let moved = |by: f32| {
                let mut logits = logits;
                logits[i] += by;
                loss(&logits, &masks)
            };
            let slope = (moved(0.01) - moved(-0.01)) / 0.02;
            assert!((f64::from(found) - slope).abs() < 1e-3 * slope.abs().max(0.1));
        }
    }

    #[test]
    fn hopeless_pixels_keep_their_gradient() {
        let measured = measure(&tensor(&[60.0, -60.0]), &tensor(&[0.0, 1.0]), 5.0).unwrap();
        let gradient = measured
            .gradient
            .flatten_all()
            .unwrap()
            .to_vec1::<f32>()
            .unwrap();
        assert!((gradient[0] - 1.25).abs() < 1e-5 && (gradient[1] + 1.25).abs() < 1e-5);
        assert!((measured.focal - 30.0).abs() < 1e-4);
    }
}
