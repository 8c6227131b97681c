//! Counts that one thread makes and others read, without locks.

use std::sync::atomic::{AtomicU64, Ordering};

/// A row of numbers: set by the one thread that counts, read by anybody. Each number is whole; two of them read together may be of
/// different moments.
#[derive(Debug)]
pub struct Gauges(Box<[AtomicU64]>);

impl Gauges {
    /// That many, all 0.
    pub fn new(len: usize) -> Self {
        Self((0..len).map(|_| AtomicU64::new(0)).collect())
    }

    /// Sets number `i`.
    pub fn set(&self, i: usize, value: u64) {
        self.0[i].store(value, Ordering::Relaxed);
    }

    /// Number `i`.
    pub fn get(&self, i: usize) -> u64 {
        self.0[i].load(Ordering::Relaxed)
    }
}

/// Bits of a value that choose among the buckets of one doubling.
const STEPS: u32 = 3;
/// Below 8 a bucket a value, then 8 for each doubling.
const BUCKETS: usize = ((64 - STEPS as usize) << STEPS) + (1 << STEPS);

/// How often values of each size came: a bucket is at most an eighth of its values wide. One thread records, anybody reads.
#[derive(Debug)]
pub struct Histogram(Gauges);

impl Default for Histogram {
    fn default() -> Self {
        Self(Gauges::new(BUCKETS))
    }
}

/// What a histogram says. Values are the upper ends of their buckets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantiles {
    /// How many values.
    pub count: u64,
    /// The median.
    pub p50: u64,
    /// 99 of 100 are not larger.
    pub p99: u64,
    /// The largest.
    pub max: u64,
}

fn bucket(value: u64) -> usize {
    if value < 1 << STEPS {
        return value as usize;
    }
    let exponent = 63 - value.leading_zeros();
    let step = (value >> (exponent - STEPS)) & ((1 << STEPS) - 1);
    (((exponent - STEPS + 1) as usize) << STEPS) + step as usize
}

/// The largest value of a bucket.
fn upper(bucket: usize) -> u64 {
    let (doubling, step) = (bucket >> STEPS, (bucket & ((1 << STEPS) - 1)) as u64);
    match doubling {
        0 => step,
        d => {
            let width = 1u64 << (d - 1);
            (((1 << STEPS) + step) << (d - 1)) + (width - 1)
        }
    }
}

impl Histogram {
    /// Counts a value. Only one thread may do so.
    pub fn record(&self, value: u64) {
        let at = bucket(value);
        self.0.set(at, self.0.get(at) + 1);
    }

    /// What it says at the moment.
    pub fn quantiles(&self) -> Quantiles {
        let counts: Vec<u64> = (0..BUCKETS).map(|b| self.0.get(b)).collect();
        let count: u64 = counts.iter().sum();
        let at = |wanted: u64| {
            let mut seen = 0;
            let found = counts.iter().position(|c| {
                seen += c;
                seen >= wanted
            });
            found.map_or(0, upper)
        };
        match count {
            0 => Quantiles::default(),
            n => Quantiles { count, p50: at(n.div_ceil(2)), p99: at((n * 99).div_ceil(100)), max: at(n) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_a_bucket_at_most_an_eighth_too_wide() {
        let around = (0..64).flat_map(|e| [(1u64 << e) - 1, 1 << e, (1u64 << e) + 1]);
        for value in around.chain(0..5000).chain([u64::MAX]) {
            let end = upper(bucket(value));
            assert!(end >= value && end - value <= value / 8, "{value} is in the bucket up to {end}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_those_of_the_values() {
        let histogram = Histogram::default();
        assert_eq!(histogram.quantiles(), Quantiles::default());
        (1..=1000).for_each(|n| histogram.record(n));
        let q = histogram.quantiles();
        assert_eq!(q.count, 1000);
        assert!((500..=562).contains(&q.p50) && (990..=1113).contains(&q.p99), "{q:?}");
        assert!((1000..=1125).contains(&q.max), "{q:?}");
    }
}
