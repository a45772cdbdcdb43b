//! The limits in the user's hand: histogram with grips, typed fields, ways to a limit, the second rule; and what follows
//! them at once: rates, confusion matrix, recall, the smallest defect found. Verdicts themselves are made in `metrics`.

mod area_rule;
mod confusion;
mod drawer;
mod handles;
mod histogram;
mod history;
mod interval_bar;
mod pixel_limit;
mod proof_line;
mod range;
mod rates;
mod recall;
mod size_curve;
mod typed;
mod ways;

pub use area_rule::area_rule_ui;
pub use confusion::confusion_ui;
pub use drawer::drawer_ui;
pub use handles::KEYS;
pub use histogram::histogram_card_ui;
pub use history::history_ui;
pub use pixel_limit::pixel_limit_value_ui;
pub use rates::{rates_ui, tally_line_ui};
pub use recall::recall_ui;
pub use size_curve::size_curve_ui;
pub use typed::typed_limits_ui;

use histogram::HistogramView;
use recall::TypesView;
use size_curve::SizeView;
use ways::WaysView;

/// What the limits' cards remember between frames: settings of the user, and what was worked out already.
#[derive(Debug, Default)]
pub struct LimitsView {
    pub histogram: HistogramView,
    pub ways: WaysView,
    pub types: TypesView,
    pub sizes: SizeView,
}
