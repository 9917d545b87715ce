//! Medians, percentiles, rates. Every rate is the median of five slices.

use std::time::{Duration, Instant};

/// Slices of a measurement, of which the median counts.
pub(crate) const SLICES: usize = 5;
/// How long a slice of a repeated call takes.
const SLICE: Duration = Duration::from_millis(300);
/// Calls between two looks at the clock, which costs as much as a hash.
const CALLS: usize = 16;

/// Calls a second, the median of five slices.
pub(crate) fn rate(mut call: impl FnMut()) -> f64 {
    let slice = |_| {
        let (start, mut count) = (Instant::now(), 0);
        while start.elapsed() < SLICE {
            for _ in 0..CALLS {
                call();
            }
            count += CALLS;
        }
        per_second(count, start.elapsed())
    };
    median((0..SLICES).map(slice).collect())
}

/// Things a second.
pub(crate) fn per_second(count: usize, time: Duration) -> f64 {
    float(count) / time.as_secs_f64()
}

/// Exact for everything counted here.
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}

/// The middle value; no number for none.
pub(crate) fn median(values: Vec<f64>) -> f64 {
    percentile(values, 50)
}

/// The smallest value that is not below so many per cent of all; no number for none.
pub(crate) fn percentile(mut values: Vec<f64>, per_cent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() * per_cent / 100).min(values.len().saturating_sub(1));
    values.get(at).copied().unwrap_or(f64::NAN)
}

/// The arithmetic mean; no number for none.
pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / float(values.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_few_and_many() {
        assert!(median(Vec::new()).is_nan());
        assert_eq!(median(vec![3.0]), 3.0);
        assert_eq!(median(vec![9.0, 1.0, 5.0, 2.0, 7.0]), 5.0);
        let hundred: Vec<f64> = (0..100).map(float).collect();
        assert_eq!(percentile(hundred.clone(), 99), 99.0);
        assert_eq!(percentile(hundred, 0), 0.0);
    }

    #[test]
    fn means() {
        assert!(mean(&[]).is_nan());
        assert_eq!(mean(&[1.0, 2.0, 6.0]), 3.0);
    }
}
