//! The figures of a trend that a summary may show: `avg`, `min`, `med`, `max`, `count`, `p(N)`.

use super::trend::Trend;

/// One figure of a trend, with the name it was asked for by.
#[derive(Clone, Debug, PartialEq)]
pub struct TrendStat {
    /// As typed: the key in exports and the column in the text.
    pub name: String,
    kind: StatKind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum StatKind {
    Avg,
    Min,
    Med,
    Max,
    Count,
    Percentile(f64),
}

impl TrendStat {
    /// Reads one item of `summaryTrendStats`.
    ///
    /// # Errors
    /// k6's message for an unknown figure and for a percentile outside 0 to 100.
    pub fn parse(name: &str) -> Result<Self, String> {
        let kind = match name {
            "avg" => StatKind::Avg,
            "min" => StatKind::Min,
            "med" => StatKind::Med,
            "max" => StatKind::Max,
            "count" => StatKind::Count,
            _ => {
                let inner = name.strip_prefix("p(").and_then(|rest| rest.strip_suffix(')'));
                let inner = inner.ok_or_else(|| format!("invalid trend stat '{name}', unknown format"))?;
                let percent = inner.parse().ok().filter(|percent| (0.0..=100.0).contains(percent));
                StatKind::Percentile(percent.ok_or_else(|| {
                    format!("invalid percentile trend stat value '{name}', provide a number between 0 and 100")
                })?)
            }
        };
        Ok(Self { name: name.to_owned(), kind })
    }

    /// The defaults: `avg,min,med,max,p(90),p(95)`.
    pub fn defaults() -> Vec<Self> {
        ["avg", "min", "med", "max", "p(90)", "p(95)"].iter().filter_map(|name| Self::parse(name).ok()).collect()
    }

    /// The figure itself.
    pub fn of(&self, trend: &Trend) -> f64 {
        match self.kind {
            StatKind::Avg => trend.avg(),
            StatKind::Min => trend.min(),
            StatKind::Med => trend.percentile(50.0),
            StatKind::Max => trend.max(),
            StatKind::Count => trend.count() as f64,
            StatKind::Percentile(percent) => trend.percentile(percent),
        }
    }

    /// Whether the figure is a number of values, whatever the values mean.
    pub fn is_count(&self) -> bool {
        self.kind == StatKind::Count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_as_k6_does() {
        let check = |input: &str, expect: &str| {
            assert_eq!(TrendStat::parse(input).map_or_else(|error| error, |stat| stat.name), expect, "{input}");
        };
        check("avg", "avg");
        check("p(99.99)", "p(99.99)");
        check("mode", "invalid trend stat 'mode', unknown format");
        check("", "invalid trend stat '', unknown format");
        check(" max", "invalid trend stat ' max', unknown format");
        check("p(101)", "invalid percentile trend stat value 'p(101)', provide a number between 0 and 100");
        check("p(x)", "invalid percentile trend stat value 'p(x)', provide a number between 0 and 100");
    }
}
