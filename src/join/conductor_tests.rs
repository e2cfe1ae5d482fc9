//! What a conductor decides: three instances that say how they are, and a clock.

use std::io::Write as _;

use super::*;
use crate::join::JoinAddress;

/// A conductor of three instances, and a clock.
struct Fixture {
    conductor: Conductor,
    now: Instant,
    reports: Vec<Option<MemberReport>>,
}

impl Fixture {
    fn new(on_loss: OnLoss) -> Self {
        let request = JoinRequest {
            address: JoinAddress::parse("redis://h/r").unwrap(),
            instance: None,
            of: 3,
            timeout: Duration::from_secs(60),
            on_loss,
        };
        let conductor = Conductor::new(&request, Logger::silent());
        Self { now: conductor.waits_since, conductor, reports: vec![None; 3] }
    }

    fn say(&mut self, at: usize, stage: MemberStage) -> &mut Self {
        let test = Some("t".to_owned());
        self.reports[at] = Some(MemberReport { stage, test, active: 2, complete: 5, ..MemberReport::default() });
        self
    }

    fn all(&mut self, stage: MemberStage) -> &mut Self {
        (0..3).for_each(|at| _ = self.say(at, stage));
        self
    }

    /// Some time goes by.
    fn after(&mut self, millis: u64) -> &Control {
        self.now += Duration::from_millis(millis);
        self.conductor.hear(self.now, self.reports.clone());
        self.conductor.decide(self.now, 1_000_000);
        &self.conductor.control
    }

    fn aborted(&self) -> &str {
        self.conductor.control.abort.as_ref().map_or("", |abort| &abort.message)
    }
}

#[test]
fn a_test_goes_through_its_stages_once_for_all() {
    let mut test = Fixture::new(OnLoss::GoOn);
    assert_eq!(test.say(0, MemberStage::Ready).say(1, MemberStage::Ready).after(0).set_up_by, None);
    assert_eq!(test.conductor.awaited(), ["instance 3/3"]);
    assert_eq!(test.say(2, MemberStage::Ready).after(250).set_up_by, Some(0));
    assert_eq!(test.after(250).start_at, None);
    assert_eq!(test.say(0, MemberStage::SetUp).after(250).start_at, Some(1_000_000 + START_DELAY));
    test.all(MemberStage::Running).after(250);
    let totals = test.conductor.totals();
    assert_eq!((totals.active, totals.complete), (6, 15));
    assert_eq!(test.say(0, MemberStage::Done).say(1, MemberStage::Done).after(250).torn_down_by, None);
    assert_eq!(test.say(2, MemberStage::Done).after(250).torn_down_by, Some(0));
    assert!(!test.after(250).collects);
    assert!(test.say(0, MemberStage::TornDown).after(250).collects);
    assert!(!test.conductor.is_complete());
    test.all(MemberStage::Ended).after(250);
    assert!(test.conductor.is_complete());
}

#[test]
fn who_does_not_come_is_named() {
    let mut test = Fixture::new(OnLoss::GoOn);
    test.say(0, MemberStage::Ready).say(2, MemberStage::Joining).after(59_000);
    assert_eq!(test.aborted(), "");
    test.after(1_000);
    assert_eq!(
        test.aborted(),
        "the test did not begin within 1m0s: instance 2/3 has not come, instance 3/3 is not ready"
    );
    // All come to their end without having begun.
    assert!(test.all(MemberStage::Done).after(250).collects);
}

#[test]
fn another_test_is_refused() {
    let mut test = Fixture::new(OnLoss::GoOn);
    test.all(MemberStage::Ready);
    test.reports[1].as_mut().unwrap().test = Some("other".to_owned());
    test.after(0);
    assert_eq!(
        test.aborted(),
        "instance 2/3 is of another test than instance 1/3: a file or an option of the script differs"
    );
}

fn running(on_loss: OnLoss) -> Fixture {
    let mut test = Fixture::new(on_loss);
    test.all(MemberStage::Ready).after(0);
    test.say(0, MemberStage::SetUp).after(250);
    test.all(MemberStage::Running).after(250);
    test
}

#[test]
fn a_lost_instance_is_no_longer_waited_for() {
    let mut test = running(OnLoss::GoOn);
    test.reports[0] = None;
    assert!(test.after(250).lost.is_empty());
    assert_eq!(test.after(2_500).lost, vec![0]);
    assert_eq!(test.conductor.totals().active, 4);
    test.say(1, MemberStage::Done).say(2, MemberStage::Done);
    assert_eq!(test.after(250).torn_down_by, Some(1));
    assert!(test.say(1, MemberStage::TornDown).after(250).collects);
    test.say(1, MemberStage::Ended).say(2, MemberStage::Ended).after(250);
    assert!(test.conductor.is_complete());
    assert!(!test.conductor.has_result(0) && test.conductor.has_result(1));
}

#[test]
fn who_is_heard_again_is_not_lost() {
    let mut test = running(OnLoss::GoOn);
    test.reports[2] = None;
    test.after(250);
    assert_eq!(test.after(2_500).lost, vec![2]);
    assert!(test.say(2, MemberStage::Running).after(250).lost.is_empty());
    // While the server could not be reached, nobody could be heard.
    test.reports[1] = None;
    test.after(250);
    test.conductor.forgive();
    assert!(test.after(1_900).lost.is_empty());
    // Who has ended says nothing more.
    test.say(1, MemberStage::Ended).after(250);
    test.reports[1] = None;
    test.after(250);
    assert!(test.after(9_000).lost.is_empty());
}

#[test]
fn a_loss_can_end_the_test() {
    let mut test = running(OnLoss::Stop);
    test.reports[1] = None;
    test.after(250);
    test.after(2_500);
    assert_eq!(test.aborted(), "instance 2/3 was lost, and `--on-loss stop` ends the test then");
}

#[test]
fn the_first_reason_ends_the_test_for_all() {
    let mut test = running(OnLoss::GoOn);
    let abort = |text: &str| Some((&Failure::new(ExitCode::ScriptAborted, text)).into());
    test.reports[1].as_mut().unwrap().abort = abort("one");
    test.after(250);
    test.reports[2].as_mut().unwrap().abort = abort("two");
    test.after(250);
    assert_eq!(test.aborted(), "instance 2/3: one");
    assert_eq!(test.conductor.control.abort.as_ref().unwrap().failure().code, ExitCode::ScriptAborted);
}

#[test]
fn who_takes_over_goes_on_where_the_other_was() {
    let mut test = running(OnLoss::GoOn);
    let last = Control { by: Some(0), ..test.conductor.control.clone() };
    let silent_since = test.now;
    test.conductor.take_over(&last, Some(1), silent_since);
    test.reports[0] = None;
    let control = test.after(2_500).clone();
    assert_eq!((control.term, control.by, control.epoch), (last.term + 1, Some(1), last.epoch + 1));
    assert_eq!((control.start_at, control.lost), (last.start_at, vec![0]));
}

#[test]
fn frames_count_once_and_a_gap_begins_anew() {
    let registry = std::sync::Arc::new(crate::metrics::Registry::new());
    let fresh = || Some(Ledger::new(registry.clone(), Default::default(), Logger::silent()));
    let mut sink =
        crate::metrics::sink::Sink::new(crate::metrics::MetricType::Counter, crate::metrics::Contains::Default);
    sink.add(3.0, Stamp(0));
    let metrics = vec![crate::metrics::MetricDelta { name: "iterations".into(), sink }];
    let deltas = delta::encode(&crate::metrics::LedgerDelta { metrics, checks: Vec::new() });
    let frame = |index, epoch, number| DeltaFrame { index, epoch, number, deltas: deltas.clone() }.encode();
    let mut test = running(OnLoss::GoOn);
    let mut count = |frames: &[Vec<u8>]| {
        test.conductor.take(frames, Stamp(0), fresh);
        let count = test.conductor.ledger().map(|ledger| ledger.count(crate::metrics::builtin::ITERATIONS));
        (count, test.conductor.control.epoch)
    };
    assert_eq!(count(&[frame(0, 0, 0), frame(1, 0, 0), frame(0, 0, 0)]), (Some(6.0), 0));
    assert_eq!(count(&[frame(0, 0, 1), b"no frame".to_vec(), frame(7, 0, 0)]), (Some(9.0), 0));
    assert_eq!(count(&[frame(1, 0, 2), frame(1, 0, 1)]), (None, 1));
    // What was on its way belongs to the old count.
    assert_eq!(count(&[frame(0, 0, 2), frame(0, 1, 0)]), (Some(3.0), 1));
}

/// What one second of a hundred instances costs, each with a hundred series of a hundred samples.
#[test]
#[ignore = "measures: cargo test --lib join:: -- --ignored --nocapture"]
fn a_hundred_senders_are_added_up_in_time() {
    use crate::metrics::{Contains, LedgerDelta, MetricDelta, MetricType, sink::Sink};
    let registry = std::sync::Arc::new(crate::metrics::Registry::new());
    let names: Vec<String> = (0..100).map(|at| format!("series_{at}")).collect();
    let kind = |at: usize| [MetricType::Trend, MetricType::Trend, MetricType::Counter, MetricType::Rate][at % 4];
    for (at, name) in names.iter().enumerate() {
        registry.declare(name, kind(at), Contains::Default).unwrap();
    }
    let fresh = || Some(Ledger::new(registry.clone(), Default::default(), Logger::silent()));
    let request = JoinRequest {
        address: JoinAddress::parse("redis://h/r").unwrap(),
        instance: None,
        of: 100,
        timeout: Duration::from_secs(60),
        on_loss: OnLoss::GoOn,
    };
    let mut conductor = Conductor::new(&request, Logger::silent());
    let delta = |at: usize, second: u64, index: u64| {
        let mut sink = Sink::new(kind(at), Contains::Default);
        (0..100).for_each(|value| sink.add((value * 37 % 101 + second + index) as f64 / 3.0, Stamp(0)));
        MetricDelta { name: names[at].as_str().into(), sink }
    };
    const SECONDS: u64 = 10;
    let (mut bytes, mut spent) = (0, Duration::ZERO);
    for second in 0..SECONDS {
        let frame = |index| {
            let metrics = (0..100).map(|at| delta(at, second, index)).collect();
            let deltas = delta::encode(&LedgerDelta { metrics, checks: Vec::new() });
            DeltaFrame { index, epoch: 0, number: second, deltas }.encode()
        };
        let frames: Vec<_> = (0..100).map(frame).collect();
        bytes += frames.iter().map(Vec::len).sum::<usize>();
        let begun = Instant::now();
        conductor.take(&frames, Stamp(0), fresh);
        conductor.judge(begun + JUDGE_INTERVAL);
        spent += begun.elapsed();
    }
    let results = conductor.ledger().unwrap().snapshot(Duration::from_secs(SECONDS));
    let Some(crate::metrics::MetricValues::Trend(trend)) = results.metric("series_0").map(|one| &one.values) else {
        panic!("series_0 is a trend");
    };
    assert_eq!(trend.count(), 100 * 100 * SECONDS);
    let [spent, bytes] = [spent.as_secs_f64() * 1e3, bytes as f64 / 1024.0].map(|sum| sum / SECONDS as f64);
    _ = writeln!(std::io::stderr(), "{spent:.1} ms and {bytes:.0} KB a second");
}
