//! A bar for long work: on stderr, and only where that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar; it is gone when this is dropped.
pub(super) struct Bar {
    what: &'static str,
    bar: ProgressBar,
}

impl Bar {
    /// A bar up to `total`, or one that only turns where that is not known.
    pub fn new(what: &'static str, total: Option<u64>) -> Self {
        let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let template = if total.is_some() { "{msg} {wide_bar} {percent:>3} %" } else { "{msg} {spinner}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.enable_steady_tick(std::time::Duration::from_millis(200));
        Self { what, bar }
    }

    /// How far it is.
    pub fn at(&self, done: u64) {
        match self.bar.length() {
            Some(_) => self.bar.set_position(done),
            None => self.bar.set_message(format!("{}: {done}", self.what)),
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
