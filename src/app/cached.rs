//! A value that is made again only when what it is made from changes.

use std::sync::Arc;

/// Keeps the last value together with the inputs it was made from.
#[derive(Debug)]
pub struct Cached<I, T> {
    made: Option<(I, T)>,
}

impl<I, T> Default for Cached<I, T> {
    fn default() -> Self {
        Self { made: None }
    }
}

impl<I: PartialEq, T> Cached<I, T> {
    /// The value for `inputs`; `make` runs only when they differ from last time.
    pub fn get(&mut self, inputs: I, make: impl FnOnce(&I) -> T) -> &mut T {
        let kept = self.made.take().filter(|(old, _)| *old == inputs);
        let made = kept.unwrap_or_else(|| {
            let value = make(&inputs);
            (inputs, value)
        });
        &mut self.made.insert(made).1
    }
}

impl<I, T> Cached<I, T> {
    /// What was made last.
    pub fn value(&self) -> Option<&T> {
        self.made.as_ref().map(|(_, value)| value)
    }
}

/// Equal to itself only: an input too large to compare. Holding it keeps its address from being used again.
#[derive(Debug)]
pub struct Same<T>(pub Arc<T>);

impl<T> PartialEq for Same<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Cached;

    #[test]
    fn only_changed_inputs_make_the_value_again() {
        let mut made = 0;
        let mut cached = Cached::default();
        for input in [1, 1, 2, 2, 1] {
            let value = *cached.get(input, |input| {
                made += 1;
                input * 10
            });
            assert_eq!(value, input * 10);
        }
        assert_eq!(made, 3);
    }
}
