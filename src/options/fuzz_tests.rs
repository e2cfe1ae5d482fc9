//! What must hold for any options. Entered here with broken examples, and by the targets of
//! `tests/fuzz` with what libFuzzer thinks of.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Compat, ExecutorConfig, Options, Plan};

/// Options as JSON, or a variable and its value on each line: they are a plan, or refused in words.
pub fn options(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let read = match serde_json::from_str::<Value>(&text) {
        Ok(json) => Options::from_json(&json, &mut Compat::default()).map(|decoded| decoded.options),
        Err(_) => {
            let pairs = text.lines().filter_map(|line| line.split_once('='));
            let env: BTreeMap<String, String> =
                pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            Options::from_env(&env, &mut Compat::default())
        }
    };
    let Ok(read) = read else { return };
    let shown = read.to_json();
    // What was shown is read again.
    assert!(Options::from_json(&Value::Object(shown), &mut Compat::default()).is_ok(), "{text}");
    let Ok((derived, _)) = read.derive_scenarios() else { return };
    _ = derived.to_script_json();
    let (Ok(scenarios), Ok(share)) = (derived.check(), derived.share()) else { return };
    // A plan has an entry for each step up and down; a billion of them is no realistic test.
    let steps = scenarios.iter().map(|scenario| match &scenario.executor {
        ExecutorConfig::RampingVus { start_vus, stages, .. } => {
            stages.iter().fold(*start_vus, |sum, stage| sum.saturating_add(stage.target))
        }
        _ => 0,
    });
    if steps.fold(0, u64::saturating_add) < 10_000 {
        let plan = Plan::new(&scenarios, &share);
        assert!(plan.max_planned_vus() <= plan.max_vus());
        _ = plan.max_duration();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::fuzz_tests::break_each;

    #[test]
    fn any_options_are_a_plan_or_refused() {
        break_each(
            &[
                br#"{"vus":3,"duration":"1d2h","thresholds":{"a{b:c}":["p(95)<3",{"threshold":"x","abortOnFail":true,"delayAbortEval":"1s"}]},"hosts":{"a.b":"1.2.3.4:5"},"blacklistIPs":["10.0.0.0/8"]}"#,
                br#"{"scenarios":{"a":{"executor":"ramping-vus","stages":[{"duration":"10s","target":5},{"duration":0,"target":1}],"gracefulRampDown":"3s"},"b":{"executor":"ramping-arrival-rate","startRate":1,"timeUnit":"1m","preAllocatedVUs":2,"maxVUs":7,"stages":[{"duration":"1h","target":3}]}}}"#,
                br#"{"executionSegment":"1/4:1/2","executionSegmentSequence":"0,1/4,1/2,1","stages":[{"duration":"1s","target":3}],"tlsVersion":{"min":"tls1.2","max":"tls1.3"},"tlsCipherSuites":["TLS_RSA_WITH_RC4_128_SHA"],"dns":{"ttl":"5m","select":"first","policy":"any"}}"#,
                br#"{"scenarios":{"c":{"executor":"constant-arrival-rate","rate":9007199254740993,"duration":"290y","preAllocatedVUs":1},"s":{"executor":"shared-iterations","vus":2,"iterations":1,"maxDuration":"1s","startTime":"1s"},"e":{"executor":"externally-controlled","vus":0,"maxVUs":3,"duration":"0"}}}"#,
                b"K6_VUS=3\nK6_DURATION=1m\nK6_STAGES=10s:5,1m:0\nK6_SYSTEM_TAGS=url,ip\nK6_BLOCK_HOSTNAMES=*.a\nK6_LOCAL_IPS=10.0.0.1-10.0.0.9,::1/120",
            ],
            options,
        );
    }
}
