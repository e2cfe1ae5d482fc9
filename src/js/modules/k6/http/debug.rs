//! The option `httpDebug`: requests and responses as log entries.

use crate::js::runtime::{MetricContext, VuContext};
use crate::log::{Level, LogField, LogValue};
use crate::net::http::Dump;

/// Logs every hop of an exchange; the two entries of a hop share an id.
/// `tags` are those of the request, in addition to those that were in force.
pub(super) fn log(vu: &VuContext, context: &MetricContext, dumps: &[Dump], tags: &[(String, String)]) {
    for dump in dumps {
        let id = unique_id();
        entry(vu, context, (format!("Request:\n{}\n", dump.request), &id), tags);
        if let Some(answer) = &dump.response {
            entry(vu, context, (format!("Response:\n{answer}\n"), &id), tags);
        }
    }
}

fn entry(vu: &VuContext, context: &MetricContext, (text, id): (String, &str), tags: &[(String, String)]) {
    let fields: Vec<LogField> = vec![("source", "http-debug".into()), ("request_id", id.to_owned().into())];
    let present = context.tags.iter().map(|(key, value)| (key.to_owned(), LogValue::Text(value.to_owned())));
    let own = tags.iter().map(|(key, value)| (key.clone(), LogValue::Text(value.clone())));
    let place = [
        ("vu".to_owned(), LogValue::Number(vu.id)),
        ("iter".to_owned(), LogValue::Number(vu.iterations.get().saturating_sub(1))),
    ];
    vu.script.log.log_labelled(Level::Info, text, fields, present.chain(own).chain(place).collect());
}

/// A random UUID, version 4.
fn unique_id() -> String {
    use std::hash::{BuildHasher, RandomState};
    let random = || RandomState::new().hash_one(0u8);
    let (high, low) = (random(), random());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xFFFF,
        high & 0xFFF,
        0x8000 | ((low >> 48) & 0x3FFF),
        low & 0xFFFF_FFFF_FFFF
    )
}
