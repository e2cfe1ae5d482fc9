//! The risk register: records in memory, the same after every start.
//!
//! Knows nothing of HTTP: what a request says wrongly comes back as one sentence.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::collection::{Collection, Kind};

/// A soak test creates records for hours; beyond this many of them the oldest created one leaves.
pub(super) const MOST_CREATED: usize = 10_000;

/// Where a risk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Open,
    Mitigated,
    Accepted,
    Closed,
}

impl Status {
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
    status: Status,
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
    pub(super) status: Option<Status>,
}

/// The values a request sets; a field it does not know is left aside, as most APIs do.
#[derive(Debug, Default)]
pub(super) struct Draft {
    title: Option<String>,
    description: Option<String>,
    impact: Option<u8>,
    probability: Option<u8>,
    status: Option<Status>,
    owner: Option<String>,
    tags: Option<Vec<String>>,
}

/// All records, by number.
pub(super) struct Store {
    risks: BTreeMap<u64, Risk>,
    seeded: u64,
    last: u64,
    created: usize,
    collections: [Collection; 3],
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

impl Store {
    /// A register with `count` records, `risk-1` to `risk-<count>`. No chance is involved, so tests can rely on them.
    pub(super) fn with_demo_data(count: usize) -> Self {
        let collections = Kind::ALL.map(|kind| Collection::with_demo_data(kind, count / 2));
        let count = count as u64;
        let risks = (1..=count).map(|number| (number, demo_risk(number))).collect();
        Self { risks, seeded: count, last: count, created: 0, collections }
    }

    /// The records of a kind.
    pub(super) fn records(&self, kind: Kind) -> &Collection {
        &self.collections[kind as usize]
    }

    /// The records of a kind, to change them.
    pub(super) fn records_mut(&mut self, kind: Kind) -> &mut Collection {
        &mut self.collections[kind as usize]
    }

    /// All risks in which `needle` stands, whatever its case.
    pub(super) fn search(&self, needle: &str) -> impl Iterator<Item = &Risk> {
        let needle = needle.to_lowercase();
        self.risks.values().filter(move |risk| risk.matches(&needle, None))
    }

    /// All risks as CSV, with a head.
    pub(super) fn csv(&self) -> String {
        let mut text = "id,title,impact,probability,score,status,owner,tags,created_at\n".to_owned();
        let quoted = |field: &str| format!("\"{}\"", field.replace('"', "\"\""));
        for risk in self.risks.values() {
            let status = Status::ALL.iter().find(|(_, status)| *status == risk.status).map_or("", |(word, _)| *word);
            let (title, owner, tags) = (quoted(&risk.title), quoted(&risk.owner), quoted(&risk.tags.join(" ")));
            let figures = format!("{},{},{}", risk.impact, risk.probability, risk.score);
            text += &format!("{},{title},{figures},{status},{owner},{tags},{}\n", risk.id, risk.created_at);
        }
        text
    }

    /// What a start page shows: the totals, how many records of each kind, and the gravest risks.
    pub(super) fn dashboard(&self) -> Map<String, Value> {
        let mut page = self.stats();
        for kind in Kind::ALL {
            page.insert(kind.plural().to_owned(), self.records(kind).all().count().into());
        }
        let mut top: Vec<&Risk> = self.risks.values().collect();
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
        for risk in self.risks.values().filter(|risk| risk.matches(&needle, filter.status)) {
            if total >= skip && page.len() < filter.limit {
                page.push(risk);
            }
            total += 1;
        }
        (page, total)
    }

    /// One record by its id, such as `risk-7`.
    pub(super) fn get(&self, id: &str) -> Option<&Risk> {
        self.risks.get(&number(id)?)
    }

    /// Adds a record.
    pub(super) fn create(&mut self, draft: Draft) -> Result<Risk, String> {
        let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default().to_string();
        let risk = draft.into_risk(format!("risk-{}", self.last + 1), now)?;
        self.last += 1;
        self.risks.insert(self.last, risk.clone());
        self.created += 1;
        if self.created > MOST_CREATED {
            let oldest = self.risks.range(self.seeded + 1..).next().map(|(&number, _)| number);
            self.created -= usize::from(oldest.and_then(|number| self.risks.remove(&number)).is_some());
        }
        Ok(risk)
    }

    /// Changes what the draft names.
    pub(super) fn patch(&mut self, id: &str, draft: Draft) -> Option<Risk> {
        let risk = self.risks.get_mut(&number(id)?)?;
        draft.apply_to(risk);
        Some(risk.clone())
    }

    /// Puts a new record in place of an old one; only id and creation time stay.
    pub(super) fn replace(&mut self, id: &str, draft: Draft) -> Option<Result<Risk, String>> {
        let risk = self.risks.get_mut(&number(id)?)?;
        Some(draft.into_risk(risk.id.clone(), risk.created_at.clone()).inspect(|new| *risk = new.clone()))
    }

    /// Removes a record; false when there is none.
    pub(super) fn delete(&mut self, id: &str) -> bool {
        let Some(number) = number(id) else { return false };
        let removed = self.risks.remove(&number).is_some();
        self.created -= usize::from(removed && number > self.seeded);
        removed
    }

    /// Totals for a dashboard.
    pub(super) fn stats(&self) -> Map<String, Value> {
        let by_status: Map<String, Value> = Status::ALL
            .iter()
            .map(|&(word, status)| (word.to_owned(), self.risks.values().filter(|r| r.status == status).count().into()))
            .collect();
        let high = self.risks.values().filter(|risk| risk.score >= 15).count();
        let mut stats = Map::new();
        stats.insert("total".into(), self.len().into());
        stats.insert("by_status".into(), by_status.into());
        stats.insert("high".into(), high.into());
        stats.insert("average_score".into(), average(self.risks.values()).into());
        stats
    }

    /// How many risks have each of the 25 pairs of impact and probability.
    pub(super) fn matrix(&self) -> Value {
        let mut counts = [[0_u32; 5]; 5];
        for risk in self.risks.values() {
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
        for risk in self.risks.values() {
            months.entry(risk.created_at.get(..7).unwrap_or("")).or_default().push(risk);
        }
        let points: Vec<Value> = months
            .iter()
            .map(|(month, risks)| {
                let open = risks.iter().filter(|risk| risk.status == Status::Open).count();
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

    fn matches(&self, needle: &str, status: Option<Status>) -> bool {
        let has = |text: &str| text.to_lowercase().contains(needle);
        status.is_none_or(|status| status == self.status)
            && (needle.is_empty() || has(&self.title) || has(&self.description) || self.tags.iter().any(|tag| has(tag)))
    }
}

impl Draft {
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
                "status" => draft.status = Some(Status::parse(&text(&name, value, 0, 100)?)?),
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
            status: self.status.unwrap_or(Status::Open),
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
        status: Status::ALL[pick(3, 7) % 4].1,
        owner: OWNERS[pick(3, OWNERS.len())].to_owned(),
        tags: vec![area.to_owned(), "demo".to_owned()],
        created_at: created_at.to_string(),
    }
}

/// `risk-7` -> 7. Only the canonical form: `risk-007` is another name, and there is nothing under it.
fn number(id: &str) -> Option<u64> {
    let digits = id.strip_prefix("risk-")?;
    let canonical = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
    if canonical { digits.parse().ok() } else { None }
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
            let result =
                Draft::read(value).and_then(|draft| Store::with_demo_data(0).create(draft)).map(|risk| risk.id);
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
        let store = Store::with_demo_data(20);
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
        let store = Store::with_demo_data(200);
        let matrix = store.matrix();
        let cells = matrix["data"].as_array().unwrap();
        assert_eq!(cells.iter().map(|cell| cell["count"].as_u64().unwrap()).sum::<u64>(), 200);
        assert!(cells.iter().all(|cell| cell["count"].as_u64().unwrap() > 0), "every cell of the matrix has risks");
        assert_eq!(store.trends()["data"].as_array().unwrap().len(), 12);
        assert!(store.stats()["by_status"].as_object().unwrap().values().all(|count| count.as_u64().unwrap() > 20));
    }

    #[test]
    fn a_soak_does_not_fill_memory() {
        let mut store = Store::with_demo_data(3);
        for _ in 0..MOST_CREATED + 5 {
            let draft = Draft { title: Some("t".into()), impact: Some(1), probability: Some(1), ..Draft::default() };
            store.create(draft).unwrap();
        }
        assert_eq!(store.len(), MOST_CREATED + 3);
        assert!(store.get("risk-3").is_some() && store.get("risk-8").is_none() && store.get("risk-9").is_some());
    }
}
