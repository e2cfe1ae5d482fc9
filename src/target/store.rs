//! The risk register: records in memory, the same after every start.
//!
//! Knows nothing of HTTP: what a request says wrongly comes back as one sentence.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::record_table::{self, Collection, RecordKind, RecordTable};

/// Where a risk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RiskStatus {
    Open,
    Mitigated,
    Accepted,
    Closed,
}

impl RiskStatus {
    const ALL: [(&'static str, Self); 4] =
        [("open", Self::Open), ("mitigated", Self::Mitigated), ("accepted", Self::Accepted), ("closed", Self::Closed)];

    /// Reads one of the four words.
    pub(super) fn parse(word: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(name, _)| *name == word);
        found.map(|&(_, status)| status).ok_or_else(|| {
            format!("`status` must be one of `open`, `mitigated`, `accepted`, `closed`, not `{}`", word.escape_debug())
        })
    }
}

/// One record.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Risk {
    id: String,
    title: String,
    description: String,
    impact: u8,
    probability: u8,
    score: u8,
    status: RiskStatus,
    owner: String,
    tags: Vec<String>,
    created_at: String,
}

/// What a list is asked for, checked.
#[derive(Debug)]
pub(super) struct Filter {
    /// From 1.
    pub(super) page: usize,
    /// 1 to 100.
    pub(super) limit: usize,
    /// In title, description or a tag, whatever its case; empty for everything.
    pub(super) search: String,
    /// Only these.
    pub(super) status: Option<RiskStatus>,
}

/// The values a request sets; a field it does not know is left aside, as most APIs do.
#[derive(Debug, Default)]
pub(super) struct RiskDraft {
    title: Option<String>,
    description: Option<String>,
    impact: Option<u8>,
    probability: Option<u8>,
    status: Option<RiskStatus>,
    owner: Option<String>,
    tags: Option<Vec<String>>,
}

/// Everything the target keeps.
pub(super) struct RiskRegister {
    risks: RecordTable<Risk>,
    collections: [Collection; 3],
}

/// What a request wants a record to be, checked as far as its kind asks for.
pub(super) enum RecordDraft {
    /// A risk.
    Risk(RiskDraft),
    /// Any other record, with its fields.
    Other(RecordKind, Map<String, Value>),
}

impl RecordDraft {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// One sentence about what is wrong with it.
    pub(super) fn read(kind: RecordKind, body: Value) -> Result<Self, String> {
        match kind {
            RecordKind::Risk => RiskDraft::read(body).map(Self::Risk),
            kind => record_table::fields(body).map(|fields| Self::Other(kind, fields)),
        }
    }
}

const SUBJECTS: [(&str, &str); 10] = [
    ("Unpatched web server", "security"),
    ("Loss of the primary data centre", "continuity"),
    ("Supplier insolvency", "supply"),
    ("Phishing of finance staff", "security"),
    ("Expired certificate", "operations"),
    ("Backups that can't be restored", "continuity"),
    ("Key person leaves", "people"),
    ("Change in privacy law", "compliance"),
    ("Fraudulent invoice", "finance"),
    ("Database runs out of space", "operations"),
];
const OWNERS: [&str; 5] = ["amal", "bruno", "chiara", "dmitri", "esther"];
/// 2025-01-01T00:00:00Z, the day the demo register was opened, in seconds since 1970.
const OPENED: i64 = 1_735_689_600;

impl RiskRegister {
    /// A register with `count` records, `risk-1` to `risk-<count>`. No chance is involved, so tests can rely on them.
    pub(super) fn with_demo_data(count: usize) -> Self {
        let collections = RecordKind::COLLECTIONS.map(|kind| Collection::with_demo_data(kind, count / 2));
        Self { risks: RecordTable::new(RecordKind::Risk.word(), count as u64, demo_risk), collections }
    }

    /// The records of a kind that is no risk; nothing for risks.
    fn collection(&self, kind: RecordKind) -> Option<&Collection> {
        self.collections.iter().find(|collection| collection.kind() == kind)
    }

    fn collection_mut(&mut self, kind: RecordKind) -> Option<&mut Collection> {
        self.collections.iter_mut().find(|collection| collection.kind() == kind)
    }

    /// A page of the records of a kind that pass the filter, and how many pass in all.
    pub(super) fn list_records(&self, kind: RecordKind, filter: &Filter) -> (Vec<Value>, usize) {
        match self.collection(kind) {
            None => {
                let (page, total) = self.list(filter);
                (page.into_iter().map(|risk| json!(risk)).collect(), total)
            }
            Some(collection) => paged(collection.search(&filter.search), filter),
        }
    }

    /// One record of a kind by its id, such as `risk-7`.
    pub(super) fn record(&self, kind: RecordKind, id: &str) -> Option<Value> {
        match self.collection(kind) {
            None => self.get(id).map(|risk| json!(risk)),
            Some(collection) => collection.get(id).cloned(),
        }
    }

    /// Adds a record.
    ///
    /// # Errors
    /// One sentence about what is missing.
    pub(super) fn create_record(&mut self, draft: RecordDraft) -> Result<Value, String> {
        match draft {
            RecordDraft::Risk(draft) => self.create(draft).map(|risk| json!(risk)),
            RecordDraft::Other(kind, fields) => match self.collection_mut(kind) {
                Some(collection) => collection.create(fields),
                None => Err("there are no such records".to_owned()),
            },
        }
    }

    /// Changes what the draft names; nothing where there is no such record.
    ///
    /// # Errors
    /// One sentence about what is wrong with the draft.
    pub(super) fn patch_record(&mut self, id: &str, draft: RecordDraft) -> Result<Option<Value>, String> {
        match draft {
            RecordDraft::Risk(draft) => Ok(self.patch(id, draft).map(|risk| json!(risk))),
            RecordDraft::Other(kind, fields) => match self.collection_mut(kind) {
                Some(collection) => collection.patch(id, fields),
                None => Ok(None),
            },
        }
    }

    /// Puts a new record in place of an old one; a record that is no risk keeps what the draft does not name.
    ///
    /// # Errors
    /// One sentence about what is wrong with the draft, or missing in it.
    pub(super) fn replace_record(&mut self, id: &str, draft: RecordDraft) -> Result<Option<Value>, String> {
        match draft {
            RecordDraft::Risk(draft) => Ok(self.replace(id, draft).transpose()?.map(|risk| json!(risk))),
            other => self.patch_record(id, other),
        }
    }

    /// Removes a record of a kind; false when there is none.
    pub(super) fn delete_record(&mut self, kind: RecordKind, id: &str) -> bool {
        match self.collection_mut(kind) {
            None => self.risks.delete(id),
            Some(collection) => collection.delete(id),
        }
    }

    /// What is done about a risk.
    pub(super) fn mitigations_of(&self, risk: &str) -> Vec<&Value> {
        let all = self.collection(RecordKind::Mitigation).into_iter().flat_map(Collection::all);
        all.filter(|one| one["risk_id"] == risk).collect()
    }

    /// A page of everything in which a text stands, each record with its `type`, and how many there are in all.
    pub(super) fn search_all(&self, filter: &Filter) -> (Vec<Value>, usize) {
        let typed = |mut record: Value, kind: RecordKind| {
            record["type"] = kind.word().into();
            record
        };
        let risks = self.search(&filter.search).map(|risk| typed(json!(risk), RecordKind::Risk));
        let others = self.collections.iter().flat_map(|collection| {
            collection.search(&filter.search).map(move |one| typed(one.clone(), collection.kind()))
        });
        let found: Vec<Value> = risks.chain(others).collect();
        paged(found.iter(), filter)
    }

    /// All risks in which `needle` stands, whatever its case.
    pub(super) fn search(&self, needle: &str) -> impl Iterator<Item = &Risk> {
        let needle = needle.to_lowercase();
        self.risks.all().filter(move |risk| risk.matches(&needle, None))
    }

    /// All risks as CSV, with a head.
    pub(super) fn csv(&self) -> String {
        let mut text = "id,title,impact,probability,score,status,owner,tags,created_at\n".to_owned();
        let quoted = |field: &str| format!("\"{}\"", field.replace('"', "\"\""));
        for risk in self.risks.all() {
            let status =
                RiskStatus::ALL.iter().find(|(_, status)| *status == risk.status).map_or("", |(word, _)| *word);
            let (title, owner, tags) = (quoted(&risk.title), quoted(&risk.owner), quoted(&risk.tags.join(" ")));
            let figures = format!("{},{},{}", risk.impact, risk.probability, risk.score);
            text += &format!("{},{title},{figures},{status},{owner},{tags},{}\n", risk.id, risk.created_at);
        }
        text
    }

    /// What a start page shows: the totals, how many records of each kind, and the gravest risks.
    pub(super) fn dashboard(&self) -> Map<String, Value> {
        let mut page = self.stats();
        for collection in &self.collections {
            page.insert(collection.kind().plural().to_owned(), collection.all().count().into());
        }
        let mut top: Vec<&Risk> = self.risks.all().collect();
        top.sort_by_key(|risk| std::cmp::Reverse(risk.score));
        top.truncate(5);
        page.insert("top_risks".to_owned(), json!(top));
        page
    }

    /// How many records there are.
    pub(super) fn len(&self) -> usize {
        self.risks.len()
    }

    /// A page of the records that pass the filter, and how many pass in all.
    pub(super) fn list(&self, filter: &Filter) -> (Vec<&Risk>, usize) {
        let needle = filter.search.to_lowercase();
        let skip = (filter.page - 1).saturating_mul(filter.limit);
        let (mut page, mut total) = (Vec::with_capacity(filter.limit), 0);
        for risk in self.risks.all().filter(|risk| risk.matches(&needle, filter.status)) {
            if total >= skip && page.len() < filter.limit {
                page.push(risk);
            }
            total += 1;
        }
        (page, total)
    }

    /// One record by its id, such as `risk-7`.
    pub(super) fn get(&self, id: &str) -> Option<&Risk> {
        self.risks.get(id)
    }

    /// Adds a record.
    pub(super) fn create(&mut self, draft: RiskDraft) -> Result<Risk, String> {
        let risk = draft.into_risk(self.risks.next_id(), record_table::now())?;
        self.risks.insert(risk.clone());
        Ok(risk)
    }

    /// Changes what the draft names.
    pub(super) fn patch(&mut self, id: &str, draft: RiskDraft) -> Option<Risk> {
        let risk = self.risks.get_mut(id)?;
        draft.apply_to(risk);
        Some(risk.clone())
    }

    /// Puts a new record in place of an old one; only id and creation time stay.
    pub(super) fn replace(&mut self, id: &str, draft: RiskDraft) -> Option<Result<Risk, String>> {
        let risk = self.risks.get_mut(id)?;
        Some(draft.into_risk(risk.id.clone(), risk.created_at.clone()).inspect(|new| *risk = new.clone()))
    }

    /// Totals for a dashboard.
    pub(super) fn stats(&self) -> Map<String, Value> {
        let by_status: Map<String, Value> = RiskStatus::ALL
            .iter()
            .map(|&(word, status)| (word.to_owned(), self.risks.all().filter(|r| r.status == status).count().into()))
            .collect();
        let high = self.risks.all().filter(|risk| risk.score >= 15).count();
        let mut stats = Map::new();
        stats.insert("total".into(), self.len().into());
        stats.insert("by_status".into(), by_status.into());
        stats.insert("high".into(), high.into());
        stats.insert("average_score".into(), average(self.risks.all()).into());
        stats
    }

    /// How many risks have each of the 25 pairs of impact and probability.
    pub(super) fn matrix(&self) -> Value {
        let mut counts = [[0_u32; 5]; 5];
        for risk in self.risks.all() {
            counts[usize::from(risk.impact - 1)][usize::from(risk.probability - 1)] += 1;
        }
        let cells: Vec<Value> = (0..25)
            .map(|cell| {
                let (impact, probability) = (cell / 5, cell % 5);
                let count = counts[impact][probability];
                json!({ "impact": impact + 1, "probability": probability + 1, "count": count })
            })
            .collect();
        json!({ "data": cells, "total": self.len() })
    }

    /// Risks by the month they were written down, oldest first.
    pub(super) fn trends(&self) -> Value {
        let mut months: BTreeMap<&str, Vec<&Risk>> = BTreeMap::new();
        for risk in self.risks.all() {
            months.entry(risk.created_at.get(..7).unwrap_or("")).or_default().push(risk);
        }
        let points: Vec<Value> = months
            .iter()
            .map(|(month, risks)| {
                let open = risks.iter().filter(|risk| risk.status == RiskStatus::Open).count();
                let average_score = average(risks.iter().copied());
                json!({ "month": month, "created": risks.len(), "open": open, "average_score": average_score })
            })
            .collect();
        json!({ "data": points, "total": points.len() })
    }
}

impl Risk {
    /// Its id.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// What it is.
    pub(super) fn title(&self) -> &str {
        &self.title
    }

    /// Impact times probability.
    pub(super) fn score(&self) -> u8 {
        self.score
    }

    fn matches(&self, needle: &str, status: Option<RiskStatus>) -> bool {
        let has = |text: &str| text.to_lowercase().contains(needle);
        status.is_none_or(|status| status == self.status)
            && (needle.is_empty() || has(&self.title) || has(&self.description) || self.tags.iter().any(|tag| has(tag)))
    }
}

impl RiskDraft {
    /// Reads a JSON object, field by field.
    ///
    /// # Errors
    /// One sentence about the first field that is wrong.
    pub(super) fn read(value: Value) -> Result<Self, String> {
        let Value::Object(fields) = value else { return Err("expected a JSON object".to_owned()) };
        let mut draft = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "title" => draft.title = Some(text(&name, value, 1, 200)?),
                "description" => draft.description = Some(text(&name, value, 0, 5_000)?),
                "owner" => draft.owner = Some(text(&name, value, 0, 100)?),
                "impact" => draft.impact = Some(grade(&name, &value)?),
                "probability" => draft.probability = Some(grade(&name, &value)?),
                "status" => draft.status = Some(RiskStatus::parse(&text(&name, value, 0, 100)?)?),
                "tags" => {
                    let Value::Array(tags) = value else { return Err("`tags` must be a list of strings".to_owned()) };
                    if tags.len() > 20 {
                        return Err("`tags` must have at most 20 entries".to_owned());
                    }
                    draft.tags = Some(tags.into_iter().map(|tag| text("tags", tag, 1, 50)).collect::<Result<_, _>>()?);
                }
                _ => {}
            }
        }
        Ok(draft)
    }

    /// Itself, when nothing that a new record needs is missing.
    ///
    /// # Errors
    /// One sentence about the first field that is missing.
    pub(super) fn complete(self) -> Result<Self, String> {
        let present = [
            ("impact", self.impact.is_some()),
            ("probability", self.probability.is_some()),
            ("title", self.title.is_some()),
        ];
        match present.iter().find(|(_, is_present)| !is_present) {
            Some((name, _)) => Err(format!("`{name}` is missing")),
            None => Ok(self),
        }
    }

    fn into_risk(self, id: String, created_at: String) -> Result<Risk, String> {
        let missing = |name: &str| format!("`{name}` is missing");
        let impact = self.impact.ok_or_else(|| missing("impact"))?;
        let probability = self.probability.ok_or_else(|| missing("probability"))?;
        Ok(Risk {
            id,
            title: self.title.ok_or_else(|| missing("title"))?,
            description: self.description.unwrap_or_default(),
            impact,
            probability,
            score: impact * probability,
            status: self.status.unwrap_or(RiskStatus::Open),
            owner: self.owner.unwrap_or_else(|| "admin".to_owned()),
            tags: self.tags.unwrap_or_default(),
            created_at,
        })
    }

    fn apply_to(self, risk: &mut Risk) {
        fn set<T>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        set(&mut risk.title, self.title);
        set(&mut risk.description, self.description);
        set(&mut risk.impact, self.impact);
        set(&mut risk.probability, self.probability);
        set(&mut risk.status, self.status);
        set(&mut risk.owner, self.owner);
        set(&mut risk.tags, self.tags);
        risk.score = risk.impact * risk.probability;
    }
}

fn demo_risk(number: u64) -> Risk {
    // Steps that share no factor with the lengths spread the values evenly and differently for each field.
    let pick = |step: u64, len: usize| usize::try_from(number * step % len as u64).unwrap_or(0);
    let (subject, area) = SUBJECTS[pick(1, SUBJECTS.len())];
    let (impact, probability) = (1 + pick(2, 5) as u8, 1 + pick(7, 31) as u8 % 5);
    let day = i64::try_from(number * 37 % 365).unwrap_or(0);
    let created_at = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(OPENED / 3600 + day * 24 + 9);
    Risk {
        id: format!("risk-{number}"),
        title: format!("{subject} {number}"),
        description: format!(
            "{subject}: what could happen, how we would notice, and what it would cost (record {number})."
        ),
        impact,
        probability,
        score: impact * probability,
        status: RiskStatus::ALL[pick(3, 7) % 4].1,
        owner: OWNERS[pick(3, OWNERS.len())].to_owned(),
        tags: vec![area.to_owned(), "demo".to_owned()],
        created_at: created_at.to_string(),
    }
}

/// A page of what was found, and how much that is.
fn paged<'a>(found: impl Iterator<Item = &'a Value>, filter: &Filter) -> (Vec<Value>, usize) {
    let skip = (filter.page - 1).saturating_mul(filter.limit);
    let (mut page, mut total) = (Vec::new(), 0_usize);
    for record in found {
        if total >= skip && page.len() < filter.limit {
            page.push(record.clone());
        }
        total += 1;
    }
    (page, total)
}

fn text(name: &str, value: Value, shortest: usize, longest: usize) -> Result<String, String> {
    let Value::String(text) = value else { return Err(format!("`{name}` must be a string")) };
    let length = text.trim().chars().count();
    if length < shortest {
        return Err(format!("`{name}` must not be empty"));
    }
    if length > longest {
        return Err(format!("`{name}` must have at most {longest} characters"));
    }
    Ok(text)
}

fn grade(name: &str, value: &Value) -> Result<u8, String> {
    // A script may send 3.0 for 3.
    let number = value.as_f64().filter(|number| (1.0..=5.0).contains(number) && number.fract() == 0.0);
    number.map(|number| number as u8).ok_or_else(|| format!("`{name}` must be a whole number from 1 to 5"))
}

fn average<'a>(risks: impl Iterator<Item = &'a Risk>) -> f64 {
    let (sum, count) = risks.fold((0_u64, 0_u64), |(sum, count), risk| (sum + u64::from(risk.score), count + 1));
    if count == 0 { 0.0 } else { (sum as f64 / count as f64 * 100.0).round() / 100.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_drafts() {
        let check = |input: &str, expect: &str| {
            let value = serde_json::from_str(input).unwrap();
            let result = RiskDraft::read(value)
                .and_then(|draft| RiskRegister::with_demo_data(0).create(draft))
                .map(|risk| risk.id);
            assert_eq!(result.unwrap_or_else(|reason| reason), expect, "{input}");
        };
        check(r#"{"title":"a","impact":1,"probability":5}"#, "risk-1");
        check(r#"{"title":"a","impact":3.0,"probability":5,"tags":["x"],"unknown":1}"#, "risk-1");
        check(r#"[]"#, "expected a JSON object");
        check(r#"{}"#, "`impact` is missing");
        check(r#"{"impact":1,"probability":1}"#, "`title` is missing");
        check(r#"{"title":" ","impact":1,"probability":1}"#, "`title` must not be empty");
        check(r#"{"title":1}"#, "`title` must be a string");
        check(r#"{"impact":0}"#, "`impact` must be a whole number from 1 to 5");
        check(r#"{"impact":6}"#, "`impact` must be a whole number from 1 to 5");
        check(r#"{"impact":"3"}"#, "`impact` must be a whole number from 1 to 5");
        check(r#"{"probability":2.5}"#, "`probability` must be a whole number from 1 to 5");
        check(r#"{"tags":"a"}"#, "`tags` must be a list of strings");
        check(r#"{"tags":[""]}"#, "`tags` must not be empty");
        check(r#"{"status":"done"}"#, "`status` must be one of `open`, `mitigated`, `accepted`, `closed`, not `done`");
    }

    #[test]
    fn finds_records_by_their_canonical_id() {
        let store = RiskRegister::with_demo_data(20);
        let check = |id: &str, expect: bool| assert_eq!(store.get(id).is_some(), expect, "{id}");
        check("risk-1", true);
        check("risk-20", true);
        check("risk-21", false);
        check("risk-0", false);
        check("risk-01", false);
        check("risk-+1", false);
        check("risk-", false);
        check("1", false);
        check("risk-99999999999999999999999", false);
    }

    #[test]
    fn demo_data_is_varied_and_whole() {
        let store = RiskRegister::with_demo_data(200);
        let matrix = store.matrix();
        let cells = matrix["data"].as_array().unwrap();
        assert_eq!(cells.iter().map(|cell| cell["count"].as_u64().unwrap()).sum::<u64>(), 200);
        assert!(cells.iter().all(|cell| cell["count"].as_u64().unwrap() > 0), "every cell of the matrix has risks");
        assert_eq!(store.trends()["data"].as_array().unwrap().len(), 12);
        assert!(store.stats()["by_status"].as_object().unwrap().values().all(|count| count.as_u64().unwrap() > 20));
    }

    #[test]
    fn a_soak_does_not_fill_memory() {
        let mut store = RiskRegister::with_demo_data(3);
        for _ in 0..record_table::MAX_CREATED + 5 {
            let draft =
                RiskDraft { title: Some("t".into()), impact: Some(1), probability: Some(1), ..RiskDraft::default() };
            store.create(draft).unwrap();
        }
        assert_eq!(store.len(), record_table::MAX_CREATED + 3);
        assert!(store.get("risk-3").is_some() && store.get("risk-8").is_none() && store.get("risk-9").is_some());
    }
}
