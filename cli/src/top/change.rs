//! What happened between two looks at the same figures. Pure: no clock, no network.
//!
//! A counter that is smaller than it was began anew with the server: all it shows is new since.

use super::scrape::Histogram;

/// How much a counter grew.
pub(crate) fn grown(before: Option<f64>, now: f64) -> f64 {
    match before {
        Some(before) if before <= now => now - before,
        // Begun anew, or not there before.
        _ => now,
    }
}

/// What a histogram got between two looks. Other bounds, or a count that shrank, are another
/// server's: then everything in it is new.
pub(crate) fn between(before: Option<&Histogram>, now: &Histogram) -> Histogram {
    let Some(before) = before else {
        return now.clone();
    };
    let pairs = || before.buckets.iter().zip(&now.buckets);
    let same = before.buckets.len() == now.buckets.len()
        && before.sum <= now.sum
        && pairs().all(|(old, new)| old.0.total_cmp(&new.0).is_eq() && old.1 <= new.1);
    let mut buckets: Vec<(f64, f64)> = Vec::with_capacity(now.buckets.len());
    for (old, new) in pairs() {
        let least = buckets.last().map_or(0.0, |(_, count)| *count);
        // Each count is exact, but they may be of different moments.
        buckets.push((new.0, (new.1 - old.1).max(least)));
    }
    match same {
        true => Histogram {
            buckets,
            sum: now.sum - before.sum,
        },
        false => now.clone(),
    }
}

/// A value below which a share of the observations lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Quantile {
    /// About this much.
    About(f64),
    /// More than the largest bound.
    Above(f64),
}

impl Histogram {
    /// Observations.
    pub(crate) fn count(&self) -> f64 {
        self.buckets.last().map_or(0.0, |(_, count)| *count)
    }

    /// The mean; nothing of nothing.
    pub(crate) fn mean(&self) -> Option<f64> {
        let count = self.count();
        (count > 0.0).then(|| self.sum / count)
    }

    /// The value below which `share` (0 to 1) of the observations lies, on a straight line within
    /// its bucket; nothing of nothing.
    pub(crate) fn quantile(&self, share: f64) -> Option<Quantile> {
        let count = self.count();
        if count <= 0.0 {
            return None;
        }
        let rank = share.clamp(0.0, 1.0) * count;
        let (mut low, mut under) = (0.0, 0.0);
        for (bound, upto) in &self.buckets {
            if *upto >= rank && *upto > under {
                if bound.is_infinite() {
                    return Some(Quantile::Above(low));
                }
                let part = ((rank - under) / (upto - under)).clamp(0.0, 1.0);
                return Some(Quantile::About(low + (bound - low) * part));
            }
            (low, under) = (*bound, *upto);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    fn histogram(counts: [f64; 3], sum: f64) -> Histogram {
        let bounds = [0.1, 1.0, INF];
        Histogram {
            buckets: bounds.into_iter().zip(counts).collect(),
            sum,
        }
    }

    #[track_caller]
    fn about(actual: Option<Quantile>, expected: f64) {
        match actual {
            Some(Quantile::About(value)) if (value - expected).abs() < 1e-9 => {}
            other => panic!("{other:?}, expected about {expected}"),
        }
    }

    #[test]
    fn only_what_came_in_between_counts() {
        let before = histogram([100.0, 100.0, 100.0], 1.0);
        let now = histogram([100.0, 110.0, 110.0], 6.0);
        let change = between(Some(&before), &now);
        assert_eq!(change, histogram([0.0, 10.0, 10.0], 5.0));
        // All ten are between 0.1 and 1: the hundred quick ones of before do not hide them.
        about(change.quantile(0.5), 0.55);
        about(now.quantile(0.5), 0.055);
        assert_eq!(change.mean(), Some(0.5));
    }

    #[test]
    fn a_server_that_began_anew_shows_all_it_has() {
        let before = histogram([100.0, 200.0, 200.0], 50.0);
        let now = histogram([4.0, 4.0, 4.0], 0.2);
        assert_eq!(between(Some(&before), &now), now);
        // Fewer in one bucket only, or a smaller sum, is no later look at the same histogram.
        let now = histogram([99.0, 300.0, 300.0], 60.0);
        assert_eq!(between(Some(&before), &now), now);
        let now = histogram([100.0, 200.0, 200.0], 49.0);
        assert_eq!(between(Some(&before), &now), now);
        assert!((grown(Some(10.0), 3.0) - 3.0).abs() < 1e-9);
        assert!((grown(Some(10.0), 13.0) - 3.0).abs() < 1e-9);
        assert!((grown(None, 3.0) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn another_servers_bounds_are_not_subtracted() {
        let before = Histogram {
            buckets: vec![(0.2, 1.0), (1.0, 1.0), (INF, 1.0)],
            sum: 0.1,
        };
        let now = histogram([5.0, 6.0, 7.0], 20.0);
        assert_eq!(between(Some(&before), &now), now);
        let fewer = Histogram {
            buckets: vec![(0.1, 1.0), (INF, 1.0)],
            sum: 0.1,
        };
        assert_eq!(between(Some(&fewer), &now), now);
        assert_eq!(between(None, &now), now);
    }

    #[test]
    fn nothing_has_no_mean_and_no_quantile() {
        let still = histogram([3.0, 4.0, 5.0], 9.0);
        let change = between(Some(&still), &still);
        assert_eq!(change.count(), 0.0_f64);
        assert_eq!((change.mean(), change.quantile(0.99)), (None, None));
        let empty = Histogram {
            buckets: Vec::new(),
            sum: 0.0,
        };
        assert_eq!((empty.mean(), empty.quantile(0.5)), (None, None));
    }

    #[test]
    fn what_is_beyond_the_last_bound_is_not_made_up() {
        let slow = histogram([1.0, 1.0, 100.0], 900.0);
        assert_eq!(slow.quantile(0.99), Some(Quantile::Above(1.0)));
        about(slow.quantile(0.0), 0.0);
        about(slow.quantile(0.01), 0.1);
        assert_eq!(slow.quantile(7.0), Some(Quantile::Above(1.0)));
    }
}
