//! Undo and redo with bounded memory. Keeps what the canvas hands out; does not paint.

use std::collections::VecDeque;

use super::canvas::{Canvas, Patch};

/// Bytes of undone and undoable steps; the oldest are forgotten beyond that.
const CAPACITY: usize = 64 << 20;

#[derive(Debug, Clone)]
struct Step {
    patch: Patch,
    /// Names the state before this step.
    before: u64,
}

/// The steps behind and ahead of the canvas as it is.
#[derive(Debug, Clone)]
pub struct History {
    capacity: usize,
    undo: VecDeque<Step>,
    redo: Vec<Step>,
    weight: usize,
    /// Names the state the canvas is in; no two states share a name. The opened one is 0.
    current: u64,
    newest: u64,
}

impl Default for History {
    fn default() -> Self {
        Self::with_capacity(CAPACITY)
    }
}

impl History {
    fn with_capacity(capacity: usize) -> Self {
        Self {
            capacity,
            undo: VecDeque::new(),
            redo: Vec::new(),
            weight: 0,
            current: 0,
            newest: 0,
        }
    }

    /// Ends a step on the canvas, if it changed anything. What was undone before can no longer be done again.
    pub fn commit(&mut self, canvas: &mut Canvas) {
        let Some(patch) = canvas.commit() else { return };
        let undone: usize = self.redo.drain(..).map(|step| step.patch.weight()).sum();
        self.weight = self.weight - undone + patch.weight();
        self.undo.push_back(Step {
            patch,
            before: self.current,
        });
        self.newest += 1;
        self.current = self.newest;
        // The newest step stays, however large.
        while self.weight > self.capacity && self.undo.len() > 1 {
            let oldest = self.undo.pop_front();
            self.weight -= oldest.map_or(0, |step| step.patch.weight());
        }
    }

    pub fn undo(&mut self, canvas: &mut Canvas) {
        if let Some(step) = self.undo.pop_back() {
            let redone = self.turn(step, canvas);
            self.redo.push(redone);
        }
    }

    pub fn redo(&mut self, canvas: &mut Canvas) {
        if let Some(step) = self.redo.pop() {
            let undone = self.turn(step, canvas);
            self.undo.push_back(undone);
        }
    }

    /// Goes to the step's other side; a patch weighs the same both ways.
    fn turn(&mut self, step: Step, canvas: &mut Canvas) -> Step {
        let turned = Step {
            patch: canvas.swap(step.patch),
            before: self.current,
        };
        self.current = step.before;
        turned
    }

    pub fn can_undo(&self) -> bool {
        !self.undo.is_empty()
    }

    pub fn can_redo(&self) -> bool {
        !self.redo.is_empty()
    }

    /// Whether the canvas may differ from what was opened.
    pub fn is_changed(&self) -> bool {
        self.current != 0
    }
}

#[cfg(test)]
mod tests {
    use super::{Canvas, History};
    use crate::app::mask_painter::canvas::Ink;
    use crate::app::mask_painter::shapes::stroke;

    const BOUNDS: (usize, usize) = (200, 100);

    fn dab(canvas: &mut Canvas, history: &mut History, x: f32) {
        canvas.fill(&stroke([x, 50.0], [x, 50.0], 2.0, BOUNDS), Ink::Mark);
        history.commit(canvas);
    }

    #[test]
    fn steps_are_undone_newest_first_and_redone_in_order() {
        let (mut canvas, mut history) = (Canvas::new(BOUNDS), History::default());
        for x in [10.0, 30.0, 50.0] {
            dab(&mut canvas, &mut history, x);
        }
        history.undo(&mut canvas);
        assert!(canvas.at(30, 50) && !canvas.at(50, 50));
        history.undo(&mut canvas);
        history.undo(&mut canvas);
        history.undo(&mut canvas);
        assert!(canvas.is_empty() && !history.can_undo());
        history.redo(&mut canvas);
        history.redo(&mut canvas);
        assert!(canvas.at(30, 50) && !canvas.at(50, 50) && history.can_redo());
    }

    #[test]
    fn a_new_step_ends_what_could_be_redone() {
        let (mut canvas, mut history) = (Canvas::new(BOUNDS), History::default());
        dab(&mut canvas, &mut history, 10.0);
        history.undo(&mut canvas);
        dab(&mut canvas, &mut history, 90.0);
        assert!(!history.can_redo());
        history.redo(&mut canvas);
        assert!(canvas.at(90, 50) && !canvas.at(10, 50));
        history.undo(&mut canvas);
        assert!(canvas.is_empty());
    }

    #[test]
    fn what_was_opened_is_known_again_after_undo() {
        let (mut canvas, mut history) = (Canvas::new(BOUNDS), History::default());
        assert!(!history.is_changed());
        dab(&mut canvas, &mut history, 10.0);
        assert!(history.is_changed());
        history.undo(&mut canvas);
        assert!(!history.is_changed());
        history.redo(&mut canvas);
        assert!(history.is_changed());
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_steps_go_first() {
        let (mut canvas, mut history) = (Canvas::new(BOUNDS), History::with_capacity(1600));
        for i in 0..20 {
            dab(&mut canvas, &mut history, 3.0 + 9.0 * i as f32);
            assert!(history.weight <= 1600);
        }
        let steps = history.undo.len();
        assert!((2..=3).contains(&steps), "{steps}");
        while history.can_undo() {
            history.undo(&mut canvas);
        }
        assert!(canvas.at(3, 50), "the first steps can no longer be undone");
        assert!(history.is_changed());
    }

    #[test]
    fn one_step_larger_than_the_bound_can_still_be_undone() {
        let (mut canvas, mut history) = (Canvas::new(BOUNDS), History::with_capacity(1));
        dab(&mut canvas, &mut history, 10.0);
        history.undo(&mut canvas);
        assert!(canvas.is_empty());
    }

    #[test]
    fn a_step_that_changed_nothing_is_not_kept() {
        let (mut canvas, mut history) = (Canvas::new(BOUNDS), History::default());
        dab(&mut canvas, &mut history, 10.0);
        dab(&mut canvas, &mut history, 10.0);
        history.undo(&mut canvas);
        assert!(canvas.is_empty());
    }
}
