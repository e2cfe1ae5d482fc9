//! The option `httpDebug`: what requests and answers look like, as log entries.

use crate::js::vu::Vu;
use crate::log::{Field, Level};
use crate::net::http::Dump;

/// Logs every hop of an exchange; the two entries of a hop share an id.
pub(super) fn tell(vu: &Vu, dumps: &[Dump]) {
    for dump in dumps {
        let id = unique_id();
        entry(vu, format!("Request:\n{}\n", dump.request), &id);
        if let Some(answer) = &dump.answer {
            entry(vu, format!("Response:\n{answer}\n"), &id);
        }
    }
}

fn entry(vu: &Vu, text: String, id: &str) {
    let mut fields: Vec<Field> = vec![
        ("source", "http-debug".into()),
        ("vu", vu.id.to_string().into()),
        ("iter", vu.iterations.get().saturating_sub(1).to_string().into()),
        ("request_id", id.to_owned().into()),
    ];
    let tags = vu.tags();
    for name in ["scenario", "group"] {
        if let Some(value) = tags.get(name) {
            fields.push((name, value.to_owned().into()));
        }
    }
    vu.script.log.log(Level::Info, text, fields);
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
