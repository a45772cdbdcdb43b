//! Where a training stands. Shared by the models that step, the pipeline that counts and the store that remembers.

use serde::{Deserialize, Serialize};

/// The next optimiser step to take, counted from zero. Later places compare as greater.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Cursor {
    pub epoch: usize,
    /// The batch of pictures within the epoch.
    pub batch: usize,
    /// The step within the batch; 0 where a batch is one step.
    pub step: usize,
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn places_compare_in_the_order_of_training() {
        let at = |epoch, batch, step| Cursor { epoch, batch, step };
        let order = [at(0, 0, 0), at(0, 0, 9), at(0, 1, 2), at(1, 0, 0)];
        assert!(order.is_sorted());
        assert_eq!(order[0], Cursor::default());
    }
}
