//! How the values of a trend are spread: counts between bounds that rise by the same factor, so that milliseconds and
//! seconds both show.

use super::tree::Tree;
use crate::metrics::trend::Trend;

/// The number of bars.
const BARS: usize = 40;
/// What is smaller than the greatest value by more than this factor shares the first bar.
const MAX_SPREAD: f64 = 1e6;

/// The distribution; nothing where there is no value, or one that is no number.
pub(super) fn build(trend: &Trend) -> Option<Tree> {
    let bounds = bounds(trend.min(), trend.max()).filter(|_| trend.count() > 0)?;
    let counts = trend.counts_between(&bounds);
    let brief = |value: f64| format!("{value:.5e}").parse::<f64>().unwrap_or(value);
    Some(Tree::map([
        ("bounds", bounds.into_iter().map(|bound| Tree::from(brief(bound))).collect::<Tree>()),
        ("counts", counts.into_iter().map(Tree::from).collect()),
    ]))
}

fn bounds(min: f64, max: f64) -> Option<Vec<f64>> {
    if !min.is_finite() || !max.is_finite() {
        return None;
    }
    let steps = |of: &dyn Fn(f64) -> f64| (0..=BARS).map(|step| of(step as f64 / BARS as f64)).collect();
    Some(match (min, max) {
        (min, max) if min == max => vec![min, max],
        (min, max) if max > 0.0 && min >= 0.0 => {
            let low = min.max(max / MAX_SPREAD);
            steps(&|share| low * (max / low).powf(share))
        }
        _ => steps(&|share| min + (max - min) * share),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Contains;

    fn spread(values: &[f64]) -> (Vec<f64>, Vec<u64>) {
        let mut trend = Trend::new(Contains::Time);
        values.iter().for_each(|value| trend.add(*value));
        let Some(tree) = build(&trend) else { return Default::default() };
        let value = tree.to_value();
        let list = |key: &str| value[key].as_array().unwrap().clone();
        let bounds = list("bounds").iter().filter_map(serde_json::Value::as_f64).collect();
        (bounds, list("counts").iter().filter_map(serde_json::Value::as_u64).collect())
    }

    #[test]
    fn every_value_is_in_one_bar() {
        let check = |values: &[f64], bars: usize| {
            let (bounds, counts) = spread(values);
            assert_eq!((bounds.len(), counts.len()), (bars + 1, bars), "{values:?}");
            assert_eq!(counts.iter().sum::<u64>(), values.len() as u64, "{values:?}");
        };
        check(&[1.0, 2.0, 4.0, 1_000.0], BARS);
        check(&[0.0, 3.0], BARS);
        check(&[-5.0, 5.0], BARS);
        check(&[7.0, 7.0], 1);
        assert_eq!(spread(&[]), (vec![], vec![]));
        assert_eq!(spread(&[f64::INFINITY]), (vec![], vec![]));
        let (bounds, counts) = spread(&[1.0, 1.0, 100.0]);
        assert_eq!((bounds[0], bounds[BARS], counts[0], counts[BARS - 1]), (1.0, 100.0, 2, 1));
    }
}
