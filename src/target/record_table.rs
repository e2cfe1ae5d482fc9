//! Tables of records, and the records around the risks of which little more than a name is asked: assets, items,
//! mitigations. They are the same after every start, and know nothing of HTTP.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// A soak test creates records for hours; beyond this many of them the oldest created one leaves.
pub(super) const MAX_CREATED: usize = 10_000;
/// A record with more JSON than this is refused: it would be a way to fill the memory.
const MAX_RECORD_BYTES: usize = 16 * 1024;

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecordKind {
    /// What could happen.
    Risk,
    /// What could be harmed.
    Asset,
    /// Anything.
    Item,
    /// What is done about a risk.
    Mitigation,
}

impl RecordKind {
    /// Those of which little more than a name is asked.
    pub(super) const COLLECTIONS: [Self; 3] = [Self::Asset, Self::Item, Self::Mitigation];

    /// The word for one, as in `asset-7`.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Risk => "risk",
            Self::Asset => "asset",
            Self::Item => "item",
            Self::Mitigation => "mitigation",
        }
    }

    /// The word for several, as in `/assets`.
    pub(super) const fn plural(self) -> &'static str {
        match self {
            Self::Risk => "risks",
            Self::Asset => "assets",
            Self::Item => "items",
            Self::Mitigation => "mitigations",
        }
    }

    fn demo(self, number: u64) -> Value {
        let pick = |words: [&'static str; 4]| words[(number % 4) as usize];
        let id = format!("{}-{number}", self.word());
        match self {
            Self::Asset => {
                let kind = pick(["server", "application", "supplier", "site"]);
                json!({ "id": id, "name": format!("{kind} {number}"), "type": kind, "criticality": number % 5 + 1 })
            }
            Self::Risk | Self::Item => json!({ "id": id, "name": format!("Item {number}"), "value": number % 100 }),
            Self::Mitigation => {
                let title = pick(["Patch", "Back up", "Insure", "Train staff"]);
                json!({ "id": id, "title": format!("{title} ({number})"), "risk_id": format!("risk-{}", number.div_ceil(2)),
                    "status": pick(["planned", "running", "done", "done"]) })
            }
        }
    }
}

/// Records by number, with ids such as `risk-7`.
pub(super) struct RecordTable<R> {
    word: &'static str,
    records: BTreeMap<u64, R>,
    seeded: u64,
    last: u64,
    created: usize,
}

impl<R> RecordTable<R> {
    /// `count` records that are always the same.
    pub(super) fn new(word: &'static str, count: u64, demo: impl Fn(u64) -> R) -> Self {
        let records = (1..=count).map(|number| (number, demo(number))).collect();
        Self { word, records, seeded: count, last: count, created: 0 }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &R> {
        self.records.values()
    }

    /// One record by its id.
    pub(super) fn get(&self, id: &str) -> Option<&R> {
        self.records.get(&self.number(id)?)
    }

    /// One record by its id, to change it.
    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut R> {
        let number = self.number(id)?;
        self.records.get_mut(&number)
    }

    /// The id of the record that is inserted next.
    pub(super) fn next_id(&self) -> String {
        format!("{}-{}", self.word, self.last + 1)
    }

    /// Adds a record; the oldest one that was added leaves when there are too many.
    pub(super) fn insert(&mut self, record: R) {
        self.last += 1;
        self.records.insert(self.last, record);
        self.created += 1;
        if self.created > MAX_CREATED {
            let oldest = self.records.range(self.seeded + 1..).next().map(|(&number, _)| number);
            self.created -= usize::from(oldest.and_then(|number| self.records.remove(&number)).is_some());
        }
    }

    /// Removes a record; false when there is none.
    pub(super) fn delete(&mut self, id: &str) -> bool {
        let Some(number) = self.number(id) else { return false };
        let removed = self.records.remove(&number).is_some();
        self.created -= usize::from(removed && number > self.seeded);
        removed
    }

    /// `asset-7` -> 7. Only the canonical form: `asset-007` is another name, and there is nothing under it.
    fn number(&self, id: &str) -> Option<u64> {
        let digits = id.strip_prefix(self.word)?.strip_prefix('-')?;
        let canonical = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        if canonical { digits.parse().ok() } else { None }
    }
}

/// Now, to the second.
pub(super) fn now() -> String {
    Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default().to_string()
}

/// All records of a kind of which little more than a name is asked.
pub(super) struct Collection {
    kind: RecordKind,
    table: RecordTable<Value>,
}

impl Collection {
    /// `count` records that are always the same.
    pub(super) fn with_demo_data(kind: RecordKind, count: usize) -> Self {
        Self { kind, table: RecordTable::new(kind.word(), count as u64, |number| kind.demo(number)) }
    }

    /// What its records are.
    pub(super) fn kind(&self) -> RecordKind {
        self.kind
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &Value> {
        self.table.all()
    }

    /// Those in which `needle` stands, whatever its case; all for an empty one.
    pub(super) fn search(&self, needle: &str) -> impl Iterator<Item = &Value> {
        let needle = needle.to_lowercase();
        self.all().filter(move |record| needle.is_empty() || holds(record, &needle))
    }

    /// One record by its id.
    pub(super) fn get(&self, id: &str) -> Option<&Value> {
        self.table.get(id)
    }

    /// Adds a record.
    ///
    /// # Errors
    /// Its name is missing.
    pub(super) fn create(&mut self, fields: Map<String, Value>) -> Result<Value, String> {
        if !["name", "title"].iter().any(|key| fields.get(*key).is_some_and(|value| value.as_str() != Some(""))) {
            return Err("`name` is missing".to_owned());
        }
        let mut record = Map::new();
        record.insert("id".to_owned(), self.table.next_id().into());
        record.extend(fields);
        record.insert("created_at".to_owned(), now().into());
        let record = Value::Object(record);
        self.table.insert(record.clone());
        Ok(record)
    }

    /// Changes what the fields name; nothing where there is no such record.
    ///
    /// # Errors
    /// The record would be too large.
    pub(super) fn patch(&mut self, id: &str, fields: Map<String, Value>) -> Result<Option<Value>, String> {
        let Some(Value::Object(record)) = self.table.get_mut(id) else { return Ok(None) };
        let mut changed = record.clone();
        changed.extend(fields);
        fits(&changed)?;
        *record = changed;
        Ok(Some(Value::Object(record.clone())))
    }

    /// Removes a record; false when there is none.
    pub(super) fn delete(&mut self, id: &str) -> bool {
        self.table.delete(id)
    }
}

/// What a request sets. Who sends back what it was given sends the id, the time and `data` too: they stay as they are.
///
/// # Errors
/// One sentence about what is wrong with it.
pub(super) fn fields(body: Value) -> Result<Map<String, Value>, String> {
    let Value::Object(mut fields) = body else { return Err("expected a JSON object".to_owned()) };
    fields.retain(|key, _| !["id", "created_at", "data"].contains(&key.as_str()));
    fits(&fields)?;
    Ok(fields)
}

fn fits(fields: &Map<String, Value>) -> Result<(), String> {
    let size: usize = fields.iter().map(|(key, value)| key.len() + value.to_string().len()).sum();
    if size > MAX_RECORD_BYTES {
        return Err(format!("a record has at most {MAX_RECORD_BYTES} bytes, this would have {size}"));
    }
    Ok(())
}

/// Whether a text of the record holds `needle`, which is in lower case.
fn holds(record: &Value, needle: &str) -> bool {
    let fields = record.as_object().into_iter().flatten();
    fields.filter_map(|(_, value)| value.as_str()).any(|text| text.to_lowercase().contains(needle))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_made_changed_and_removed() {
        let mut assets = Collection::with_demo_data(RecordKind::Asset, 3);
        let made =
            assets.create(fields(json!({ "name": "a", "id": "asset-1", "extra": [1], "data": {} })).unwrap()).unwrap();
        assert_eq!((&made["id"], &made["extra"], made.get("data")), (&json!("asset-4"), &json!([1]), None));
        assert_eq!(assets.get("asset-4"), Some(&made));
        let changed =
            assets.patch("asset-4", fields(json!({ "name": "b", "created_at": "never" })).unwrap()).unwrap().unwrap();
        assert_eq!((&changed["name"], &changed["created_at"]), (&json!("b"), &made["created_at"]));
        assert_eq!(assets.patch("asset-9", Map::new()), Ok(None));
        assert!(assets.delete("asset-4") && !assets.delete("asset-4"));
        let check = |body: Value, expect: &str| {
            let why = fields(body)
                .and_then(|fields| Collection::with_demo_data(RecordKind::Item, 0).create(fields))
                .unwrap_err();
            assert!(why.starts_with(expect), "{why}");
        };
        check(json!([]), "expected a JSON object");
        check(json!({ "value": 1 }), "`name` is missing");
        check(json!({ "name": "" }), "`name` is missing");
        check(json!({ "name": "x".repeat(20_000) }), "a record has at most 16384 bytes");
    }

    #[test]
    fn a_long_test_does_not_fill_the_memory() {
        let mut items = Collection::with_demo_data(RecordKind::Item, 2);
        for _ in 0..MAX_CREATED + 5 {
            items.create(fields(json!({ "name": "x" })).unwrap()).unwrap();
        }
        assert_eq!(items.all().count(), MAX_CREATED + 2);
        assert!(items.get("item-2").is_some() && items.get("item-3").is_none());
    }
}
