//! The likelihood of a fibre under its flow, and the loss that training lowers (Gudovskiy et al. 2022, section 4.1).

/// Half the logarithm of two pi.
const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_7;

/// Log-likelihood per dimension of a fibre that a flow takes to `latent` with this log-determinant of its Jacobian.
pub(super) fn per_dimension(latent: &[f32], log_det: f64) -> f64 {
    let squared: f64 = latent.iter().map(|&z| f64::from(z) * f64::from(z)).sum();
    (log_det - 0.5 * squared) / latent.len() as f64 - HALF_LOG_TAU
}

/// `-log sigmoid(likelihood)`, without overflow.
pub(super) fn loss(likelihood: f64) -> f64 {
    (-likelihood.abs()).exp().ln_1p() + (-likelihood).max(0.0)
}

/// The derivative of [`loss`]: `-sigmoid(-likelihood)`.
pub(super) fn loss_slope(likelihood: f64) -> f64 {
    -1.0 / (1.0 + likelihood.exp())
}

#[cfg(test)]
mod tests {
    use super::{loss, loss_slope, per_dimension};

    #[test]
    fn likelihood_and_loss_follow_the_reference() {
        let likelihood = per_dimension(&[0.5, -1.0, 2.0, 0.0], 0.3);
        assert!((likelihood + 1.500_189).abs() < 1e-6);
        assert!((loss(likelihood) - 1.701_567).abs() < 1e-6);
    }

    #[test]
    fn extremes_neither_overflow_nor_vanish() {
        assert_eq!(loss(-1e6), 1e6);
        assert_eq!(loss(1e6), 0.0);
        assert_eq!((loss_slope(-1e6), loss_slope(1e6)), (-1.0, 0.0));
        assert!(loss(f64::NAN).is_nan());
        for likelihood in [-3.0, 0.0, 2.0] {
            let slope = (loss(likelihood + 1e-5) - loss(likelihood - 1e-5)) / 2e-5;
            assert!((slope - loss_slope(likelihood)).abs() < 1e-8);
        }
    }
}
