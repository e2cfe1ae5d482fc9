//! What was added to metrics and checks in a short time, and how it travels to whoever adds up several instances.
//!
//! A sink is sent as what it holds: a sum, counts, the values one by one while they are few, else histograms. What arrives twice or not
//! at all is the sender's business.

use std::sync::Arc;

use super::compensated_sum::CompensatedSum;
use super::metric::Contains;
use super::record::Stamp;
use super::sink::{CounterSink, GaugeSink, RateSink, Sink};
use super::trend::{EncodedHistograms, StoredTrend, Trend};

/// What one metric or sub-metric got.
#[derive(Clone, Debug)]
pub struct MetricDelta {
    /// Its full name, as in `http_req_duration{status:200}`.
    pub name: Arc<str>,
    /// The samples.
    pub sink: Sink,
}

/// What one check got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckDelta {
    /// The path of its group, as in `::outer::inner`; empty for none.
    pub group: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// How often it passed.
    pub passes: u64,
    /// How often it failed.
    pub fails: u64,
}

/// What a ledger got: what is in here is in the totals too.
#[derive(Clone, Debug, Default)]
pub struct LedgerDelta {
    /// Metrics and sub-metrics.
    pub metrics: Vec<MetricDelta>,
    /// Checks, and groups without any by an empty name.
    pub checks: Vec<CheckDelta>,
}

/// Up to so many values of a trend travel one by one: a histogram is not shorter then.
const MAX_VALUES: u64 = 200;

/// The kind of an entry that is a check; metrics have 0 to 3.
const CHECK: u8 = 4;

const CONTAINS: [Contains; 3] = [Contains::Default, Contains::Time, Contains::Data];

/// The bytes of a delta.
pub fn encode(delta: &LedgerDelta) -> Vec<u8> {
    let mut bytes = Vec::new();
    for CheckDelta { group, name, passes, fails } in &delta.checks {
        put_bytes(&mut bytes, group.as_bytes());
        bytes.push(CHECK);
        put_bytes(&mut bytes, name.as_bytes());
        [*passes, *fails].into_iter().for_each(|count| put_count(&mut bytes, count));
    }
    for MetricDelta { name, sink } in &delta.metrics {
        put_bytes(&mut bytes, name.as_bytes());
        match sink {
            Sink::Counter(counter) => {
                bytes.push(0);
                put_number(&mut bytes, counter.count());
                put_count(&mut bytes, counter.samples);
            }
            Sink::Gauge(gauge) => {
                bytes.push(1);
                [gauge.value, gauge.min, gauge.max].into_iter().for_each(|value| put_number(&mut bytes, value));
                put_count(&mut bytes, gauge.last.map_or(0, |last| last.0));
            }
            Sink::Rate(rate) => {
                bytes.push(2);
                [rate.passes, rate.fails].into_iter().for_each(|count| put_count(&mut bytes, count));
            }
            Sink::Trend(trend) => {
                bytes.push(3);
                put_trend(&mut bytes, trend);
            }
        }
    }
    bytes
}

fn put_trend(bytes: &mut Vec<u8>, trend: &Trend) {
    bytes.push(CONTAINS.iter().position(|known| *known == trend.contains()).unwrap_or_default() as u8);
    put_count(bytes, trend.count());
    [trend.min(), trend.max(), trend.sum()].into_iter().for_each(|value| put_number(bytes, value));
    let values = if trend.count() <= MAX_VALUES { trend.encoded_values() } else { None };
    if let Some(values) = values {
        bytes.push(1);
        return put_bytes(bytes, &values);
    }
    bytes.push(0);
    let EncodedHistograms { scale, below_all, negative, positive, above_all } = trend.encoded_histograms();
    put_number(bytes, scale);
    [below_all, above_all].into_iter().for_each(|count| put_count(bytes, count));
    // A histogram has a head, so an empty text is none.
    [negative, positive].into_iter().for_each(|part| put_bytes(bytes, &part.unwrap_or_default()));
}

fn put_bytes(bytes: &mut Vec<u8>, part: &[u8]) {
    put_count(bytes, part.len() as u64);
    bytes.extend_from_slice(part);
}

fn put_number(bytes: &mut Vec<u8>, value: f64) {
    bytes.extend_from_slice(&value.to_le_bytes());
}

/// Seven bits a byte, the lowest first.
fn put_count(bytes: &mut Vec<u8>, mut count: u64) {
    while count >= 0x80 {
        bytes.push(count as u8 | 0x80);
        count >>= 7;
    }
    bytes.push(count as u8);
}

/// The delta that was encoded.
///
/// # Errors
/// The bytes are none of [`encode`].
pub fn decode(bytes: &[u8]) -> Result<LedgerDelta, &'static str> {
    let mut reader = DeltaReader(bytes);
    let mut delta = LedgerDelta::default();
    while !reader.0.is_empty() {
        let name = reader.text()?;
        let sink = match reader.byte()? {
            0 => Sink::Counter(CounterSink { sum: CompensatedSum::of(reader.number()?), samples: reader.count()? }),
            1 => Sink::Gauge(GaugeSink {
                value: reader.number()?,
                min: reader.number()?,
                max: reader.number()?,
                last: Some(Stamp(reader.count()?)),
            }),
            2 => Sink::Rate(RateSink { passes: reader.count()?, fails: reader.count()? }),
            3 => Sink::Trend(Box::new(reader.trend()?)),
            CHECK => {
                let (group, name, passes, fails) = (name, reader.text()?, reader.count()?, reader.count()?);
                delta.checks.push(CheckDelta { group, name, passes, fails });
                continue;
            }
            _ => return Err("a kind of metric is unknown"),
        };
        delta.metrics.push(MetricDelta { name, sink });
    }
    Ok(delta)
}

/// What is left to read.
struct DeltaReader<'b>(&'b [u8]);

impl<'b> DeltaReader<'b> {
    fn take(&mut self, count: usize) -> Result<&'b [u8], &'static str> {
        let (part, rest) = self.0.split_at_checked(count).ok_or("it is cut off")?;
        self.0 = rest;
        Ok(part)
    }

    fn byte(&mut self) -> Result<u8, &'static str> {
        Ok(self.take(1)?[0])
    }

    fn number(&mut self) -> Result<f64, &'static str> {
        self.take(8)?.try_into().map(f64::from_le_bytes).map_err(|_| "it is cut off")
    }

    fn count(&mut self) -> Result<u64, &'static str> {
        let mut count = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            count |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(count);
            }
        }
        Err("a count is too great")
    }

    fn bytes(&mut self) -> Result<&'b [u8], &'static str> {
        let length = usize::try_from(self.count()?).map_err(|_| "it is cut off")?;
        self.take(length)
    }

    fn text(&mut self) -> Result<Arc<str>, &'static str> {
        std::str::from_utf8(self.bytes()?).map(Arc::from).map_err(|_| "a name is no text")
    }

    fn trend(&mut self) -> Result<Trend, &'static str> {
        let contains = *CONTAINS.get(usize::from(self.byte()?)).ok_or("what a trend contains is unknown")?;
        let (count, min, max, sum) = (self.count()?, self.number()?, self.number()?, self.number()?);
        let none = EncodedHistograms { scale: 0.0, below_all: 0, negative: None, positive: None, above_all: 0 };
        let mut stored = StoredTrend { count, min, max, sum, values: None, histograms: none };
        if self.byte()? == 1 {
            stored.values = Some(self.bytes()?.to_vec());
        } else {
            stored.histograms = EncodedHistograms {
                scale: self.number()?,
                below_all: self.count()?,
                above_all: self.count()?,
                negative: Some(self.bytes()?.to_vec()).filter(|part| !part.is_empty()),
                positive: Some(self.bytes()?.to_vec()).filter(|part| !part.is_empty()),
            };
        }
        Trend::restore(contains, &stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::MetricType;

    fn delta(name: &str, kind: MetricType, values: &[f64]) -> MetricDelta {
        let mut sink = Sink::new(kind, Contains::Time);
        values.iter().for_each(|value| sink.add(*value, Stamp(7)));
        MetricDelta { name: name.into(), sink }
    }

    fn shown(delta: &MetricDelta) -> String {
        let sink = match &delta.sink {
            Sink::Trend(trend) => {
                let figures = [trend.min(), trend.max(), trend.sum(), trend.percentile(50.0)];
                format!("{} {figures:?} {:?}", trend.count(), trend.encoded_histograms())
            }
            other => format!("{other:?}"),
        };
        format!("{} {sink}", delta.name)
    }

    fn all() -> LedgerDelta {
        let many: Vec<f64> = (0..5_000).map(|at| f64::from(at) * 0.37).collect();
        let check = |group: &str, name: &str, passes, fails| CheckDelta {
            group: group.into(),
            name: name.into(),
            passes,
            fails,
        };
        let checks = vec![check("", "is 200", 300, 1), check("::a::é", "x::y", 0, 7), check("::b", "", 0, 0)];
        let metrics = vec![
            delta("iterations", MetricType::Counter, &[1.0, 2.5]),
            delta("vus{a:é}", MetricType::Gauge, &[-3.0, 9.0, 4.0]),
            delta("checks", MetricType::Rate, &[1.0, 0.0, 1.0]),
            delta("few", MetricType::Trend, &[1.5, f64::INFINITY, -2.0]),
            delta("many", MetricType::Trend, &many),
        ];
        LedgerDelta { metrics, checks }
    }

    #[test]
    fn what_was_encoded_comes_back() {
        let sent = all();
        let got = decode(&encode(&sent)).unwrap();
        assert_eq!((got.metrics.len(), &got.checks), (sent.metrics.len(), &sent.checks));
        for (sent, got) in sent.metrics.iter().zip(&got.metrics) {
            // The median of many values is that of their histogram.
            let is_exact =
                |delta: &MetricDelta| matches!(&delta.sink, Sink::Trend(trend) if trend.count() > MAX_VALUES);
            if is_exact(sent) {
                let (Sink::Trend(sent), Sink::Trend(got)) = (&sent.sink, &got.sink) else { panic!("trends") };
                assert_eq!(sent.encoded_histograms(), got.encoded_histograms());
                assert_eq!((sent.count(), sent.sum()), (got.count(), got.sum()));
            } else {
                assert_eq!(shown(got), shown(sent));
            }
        }
    }

    #[test]
    fn bytes_of_others_are_refused() {
        let bytes = encode(&all());
        for end in 1..bytes.len() {
            // Between two deltas it is whole.
            _ = decode(&bytes[..end]);
        }
        let mut foreign = bytes.clone();
        for at in 0..foreign.len().min(400) {
            foreign[at] ^= 0xff;
            _ = decode(&foreign);
        }
        assert!(decode(&[0xff; 40]).is_err());
        assert!(decode(b"\x01a\x09").is_err());
    }
}
