//! What a trend promises, checked against all values kept and sorted: percentiles, merging, and no drift.

use super::*;

fn trend(contains: Contains, values: impl IntoIterator<Item = f64>) -> Trend {
    let mut trend = Trend::new(contains);
    values.into_iter().for_each(|value| trend.add(value));
    trend
}

/// A repeatable stream of numbers between 0 and 1.
fn noise(seed: u64) -> impl Iterator<Item = f64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    })
}

fn exact(values: &[f64], percent: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let place = percent / 100.0 * (values.len() - 1) as f64;
    let (low, high) = (values[place.floor() as usize], values[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

const PERCENTS: [f64; 9] = [0.0, 1.0, 10.0, 50.0, 75.0, 90.0, 99.0, 99.9, 100.0];

#[test]
fn interpolates_as_k6_does() {
    let check = |values: &[f64], percent: f64, expect: f64| {
        let got = trend(Contains::Default, values.iter().copied()).percentile(percent);
        assert!((got - expect).abs() < 1e-9, "p({percent}) of {values:?}: {got}, not {expect}");
    };
    check(&[], 95.0, 0.0);
    check(&[3.0, 1.5], 50.0, 2.25);
    check(&[9.0, 3.0, 7.0, 1.0, 5.0, 10.0, 2.0, 8.0, 6.0, 4.0], 99.9, 9.991);
    check(&[2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 100.0], 95.0, 55.9);
    check(&[-1.0, -2.5, -30.0, 0.0, 4.75, 11.0], 10.0, -16.25);
    check(&[-1.0, -2.5, -30.0, 0.0, 4.75, 11.0], 50.0, -0.5);
    check(&[7.0], 99.0, 7.0);
}

#[test]
fn infinities_are_values() {
    let trend = trend(Contains::Default, [f64::INFINITY, 1.0]);
    assert_eq!((trend.min(), trend.max(), trend.avg()), (1.0, f64::INFINITY, f64::INFINITY));
    let many = self::trend(Contains::Default, noise(1).take(20_000).chain([f64::INFINITY, f64::NEG_INFINITY]));
    assert_eq!((many.percentile(0.0), many.percentile(100.0)), (f64::NEG_INFINITY, f64::INFINITY));
    assert!(many.percentile(50.0).is_finite());
}

#[test]
fn what_is_not_a_number_is_no_value() {
    assert_eq!(trend(Contains::Default, [f64::NAN]).count(), 0);
}

#[test]
fn many_values_keep_three_digits() {
    let check = |name: &str, contains: Contains, values: Vec<f64>| {
        let trend = trend(contains, values.iter().copied());
        assert!(!trend.is_exact(), "{name}");
        assert_eq!(trend.count(), values.len() as u64, "{name}");
        for percent in PERCENTS {
            let (got, expect) = (trend.percentile(percent), exact(&values, percent));
            assert!((got - expect).abs() <= expect.abs() / 1000.0, "{name} p({percent}): {got}, not {expect}");
        }
        assert_eq!(trend.percentile(0.0), exact(&values, 0.0), "{name}");
        assert_eq!(trend.percentile(100.0), exact(&values, 100.0), "{name}");
    };
    let n = 30_000;
    check("times", Contains::Time, noise(7).map(|x| 0.05 + x.powi(6) * 60_000.0).take(n).collect());
    check("sizes", Contains::Data, noise(8).map(|x| (x * 1e9).floor()).take(n).collect());
    check("small", Contains::Default, noise(9).map(|x| 1e-9 + x * 1e-6).take(n).collect());
    check("huge", Contains::Default, noise(10).map(|x| (1.0 + x) * 1e300).take(n).collect());
    check("negative", Contains::Default, noise(11).map(|x| -1.0 - x * 500.0).take(n).collect());
    let growing =
        noise(12).take(n).enumerate().map(|(i, x)| if i < 15_000 { (1.0 + x) * 1e3 } else { (1.0 + x) * 1e17 });
    check("growing", Contains::Default, growing.collect());
}

#[test]
fn merging_is_adding() {
    let values: Vec<f64> = noise(3).map(|x| x * 1000.0).take(9_000).collect();
    for (parts, exact_expected) in [(3_000, true), (9_000, false)] {
        let a = trend(Contains::Time, values[..parts].iter().copied());
        let b = trend(Contains::Time, values[9_000 - parts..].iter().copied());
        let (mut ab, mut ba) = (a.clone(), b.clone());
        ab.merge(&b);
        ba.merge(&a);
        assert_eq!(ab.is_exact(), exact_expected);
        assert_eq!((ab.count(), ab.min(), ab.max(), ab.sum()), (ba.count(), ba.min(), ba.max(), ba.sum()));
        PERCENTS.iter().for_each(|percent| assert_eq!(ab.percentile(*percent), ba.percentile(*percent)));
    }
    let mut first = trend(Contains::Time, [5.0]);
    first.merge(&Trend::new(Contains::Time));
    assert_eq!((first.count(), first.min()), (1, 5.0));
}

/// A repeatable stream of normally distributed numbers.
fn normal(seed: u64) -> impl Iterator<Item = f64> {
    let mut uniform = noise(seed);
    std::iter::repeat_with(move || {
        let (a, b) = (uniform.next().unwrap_or(0.5), uniform.next().unwrap_or(0.5));
        (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    })
}

/// `n` values of each distribution, by name.
fn distributions(n: usize) -> Vec<(&'static str, Vec<f64>)> {
    vec![
        ("uniform", noise(21).map(|x| 1.0 + x * 999.0).take(n).collect()),
        ("log-normal", normal(22).map(|x| (3.0 + 1.2 * x).exp()).take(n).collect()),
        ("bimodal", normal(23).enumerate().map(|(i, x)| if i % 3 == 0 { 900.0 } else { 5.0 } + x).take(n).collect()),
        ("constant", vec![17.25; n]),
        // Whole numbers first, and then numbers that would all be one at their scale.
        (
            "changing",
            noise(24)
                .enumerate()
                .map(|(i, x)| if i < n / 2 { (x * 9.0).ceil() } else { 1e-3 * (1.0 + x) })
                .take(n)
                .collect(),
        ),
    ]
}

/// Whether two sums are the same but for the very last bit.
fn is_same_sum(a: f64, b: f64) -> bool {
    a == b || a.next_up() == b || a.next_down() == b
}

#[test]
fn few_values_give_the_exact_percentiles() {
    for n in [1, 2, 3, 10, 101, 9_999, EXACT_LIMIT] {
        for (name, values) in distributions(n) {
            for contains in [Contains::Time, Contains::Data, Contains::Default] {
                let trend = trend(contains, values.iter().copied());
                assert!(trend.is_exact());
                for percent in PERCENTS {
                    assert_eq!(trend.percentile(percent), exact(&values, percent), "{name} {n} p({percent})");
                }
            }
        }
    }
}

#[test]
fn many_values_give_percentiles_within_a_thousandth() {
    for n in [EXACT_LIMIT + 1, 60_000] {
        for (name, values) in distributions(n) {
            for contains in [Contains::Time, Contains::Data, Contains::Default] {
                let trend = trend(contains, values.iter().copied());
                assert!(!trend.is_exact());
                let mut sorted = values.clone();
                sorted.sort_by(f64::total_cmp);
                for percent in PERCENTS {
                    let (got, expect) = (trend.percentile(percent), exact(&sorted, percent));
                    let is_near = (got - expect).abs() <= expect.abs() / 1000.0;
                    assert!(is_near, "{name} {contains:?} {n} p({percent}): {got}, not {expect}");
                }
                assert_eq!((trend.min(), trend.max()), (sorted[0], sorted[n - 1]), "{name} {n}");
            }
        }
    }
}

#[test]
fn shards_merge_to_one_result_in_any_order() {
    for n in [4_000, 40_000] {
        for (name, values) in distributions(n) {
            for contains in [Contains::Time, Contains::Default] {
                // Shards of unequal size, one of them empty.
                let cuts = [0, n / 9, n / 9, n / 3, n / 2, n - 1, n].map(|at| at.min(n));
                let shards: Vec<_> =
                    cuts.windows(2).map(|cut| trend(contains, values[cut[0]..cut[1]].iter().copied())).collect();
                let merged = |order: &mut dyn Iterator<Item = usize>| {
                    let mut whole = Trend::new(contains);
                    order.for_each(|at| whole.merge(&shards[at]));
                    whole
                };
                let all = trend(contains, values.iter().copied());
                let count = shards.len();
                let orders = (0..count).map(|from| (0..count).map(|at| (at + from) % count).collect::<Vec<_>>());
                for order in orders.chain([(0..count).rev().collect()]) {
                    let whole = merged(&mut order.iter().copied());
                    let about = format!("{name} {contains:?} {n} {order:?}");
                    assert_eq!(whole.is_exact(), all.is_exact(), "{about}");
                    let figures = |trend: &Trend| (trend.count(), trend.min(), trend.max());
                    assert_eq!(figures(&whole), figures(&all), "{about}");
                    assert!(is_same_sum(whole.sum(), all.sum()), "{about}: {}, not {}", whole.sum(), all.sum());
                    for percent in PERCENTS {
                        assert_eq!(whole.percentile(percent), all.percentile(percent), "{about} p({percent})");
                    }
                }
            }
        }
    }
}

#[test]
fn a_hundred_million_samples_do_not_drift() {
    // 10^8 samples as a run of shards has them: each shard is added one by one, then merged.
    let values: Vec<f64> = noise(31).map(|x| 0.1 + x * 1000.0).take(100_000).collect();
    let shard = trend(Contains::Time, values.iter().copied());
    let mut whole = Trend::new(Contains::Time);
    (0..1000).for_each(|_| whole.merge(&shard));
    assert_eq!(whole.count(), 100_000_000);
    // The exact sum, in steps of 2^-52 that every value is a multiple of.
    let steps: u128 = values.iter().map(|value| (value * 2_f64.powi(52)) as u128).sum();
    let expect = (steps * 1000) as f64 / 2_f64.powi(52);
    assert!(is_same_sum(whole.sum(), expect), "{}, not {expect}", whole.sum());
    PERCENTS.iter().for_each(|percent| {
        let (got, expect) = (whole.percentile(*percent), shard.percentile(*percent));
        assert!((got - expect).abs() <= expect / 1000.0, "p({percent}): {got}, not {expect}");
    });
}
