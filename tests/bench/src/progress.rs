//! What a person sees while it runs: a bar on a terminal, a line a part elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A part of the run with its time.
#[derive(Debug)]
pub(crate) struct Part {
    name: String,
    start: Instant,
}

impl Part {
    /// Begins a part.
    pub(crate) fn begin(name: &str) -> Self {
        eprintln!("==> {name}");
        Self {
            name: name.to_owned(),
            start: Instant::now(),
        }
    }

    /// Ends it; gives its name and its seconds.
    pub(crate) fn end(self) -> (String, f64) {
        let seconds = self.start.elapsed().as_secs_f64();
        eprintln!("    {}: {seconds:.1} s", self.name);
        (self.name, seconds)
    }
}

/// A bar over so many steps; invisible where no person looks.
pub(crate) fn bar(length: u64, label: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("    {msg} {wide_bar} {human_pos}/{human_len} {eta}")
        .expect("the template is a constant");
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr_with_hz(5));
    bar.set_style(style);
    bar.set_message(label.to_owned());
    bar
}

/// Ends a bar; gives the time it was there.
pub(crate) fn done(bar: &ProgressBar) -> Duration {
    bar.finish_and_clear();
    bar.elapsed()
}
