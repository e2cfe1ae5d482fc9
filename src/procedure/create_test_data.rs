//! Records made before the runs at a bounded rate, read back, and removed afterwards. Each is written down before it is
//! asked for (`records.rs`); bodies come from a template or from a function of the procedure file.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use serde_json::Value;

use super::child::Interrupts;
use super::created_records::{CreatedFields, CreatedRecords};
use super::decode::JsonNode;
use super::journal::TestDataSummary;
use super::request_template::{DataRequestError, PlaceholderValues};
use super::settings::REPORT_EVERY;
use super::test_data::TestDataPlan;
use super::web;
use crate::run::DataModule;
use crate::ui::Terminal;

/// Requests under way at the same time.
const MAX_CONCURRENT_REQUESTS: usize = 16;

/// How far behind its rate the sending of requests may catch up.
const MAX_CATCH_UP: Duration = Duration::from_millis(20);

/// Logs in, where the file says how; the answer.
async fn logged_in(data: &TestDataPlan, client: &reqwest::Client) -> Result<Option<Value>, String> {
    let Some(template) = &data.login else { return Ok(None) };
    let answer = PlaceholderValues::default().request(template, None).send(client).await;
    answer.map(Some).map_err(|refusal| format!("login: {}", refusal.text))
}

/// The body the function makes of a number.
async fn body(module: &DataModule, number: u64) -> Result<Value, String> {
    let told = |why: String| format!("`data.record({number})`: {why}");
    let json = module.record(number).await.map_err(|failure| told(failure.message.replace('\n', " ")))?;
    let Some(json) = json else { return Err(told("expected an object or a text, but it is undefined".to_owned())) };
    let value: Value = serde_json::from_str(&json).map_err(|error| told(error.to_string()))?;
    JsonNode::at(&value, &format!("data.record({number})")).data().map_err(|error| error.to_string())?;
    if value.is_null() { Err(told("expected an object or a text, but it is null".to_owned())) } else { Ok(value) }
}

/// Whether the rest may go on.
type GoOn = bool;

/// Does `each` for all numbers at a bounded rate and shows how far it is; false if it was interrupted.
async fn paced(
    what: &str,
    numbers: &[u64],
    rate: f64,
    interrupts: &mut Interrupts,
    terminal: &Terminal,
    each: impl AsyncFn(u64) -> GoOn,
) -> bool {
    let period = Duration::from_secs_f64((1.0 / rate).min(1e6));
    let mut due = tokio::time::Instant::now();
    let mut pending = FuturesUnordered::new();
    let (mut next, mut done, mut is_whole, mut told) = (0, 0, true, Instant::now());
    let mut end = numbers.len();
    while next < end || !pending.is_empty() {
        tokio::select! {
            () = tokio::time::sleep_until(due), if next < end && pending.len() < MAX_CONCURRENT_REQUESTS => {
                pending.push(each(numbers[next]));
                next += 1;
                // A little late is caught up with, so that the rate is kept; more would be a burst.
                due = (due + period).max(tokio::time::Instant::now() - MAX_CATCH_UP);
            }
            Some(go_on) = pending.next() => {
                done += 1;
                if !go_on {
                    end = next;
                }
            }
            () = interrupts.next() => {
                is_whole = false;
                end = next;
            }
        }
        let bar = bar(what, done, numbers.len());
        if terminal.stdout_is_tty() {
            if told.elapsed() > Duration::from_millis(100) {
                told = Instant::now();
                terminal.set_block(bar);
            }
        } else if told.elapsed() > REPORT_EVERY {
            told = Instant::now();
            terminal.print(&bar);
        }
    }
    terminal.set_block(String::new());
    is_whole
}

fn bar(what: &str, done: usize, all: usize) -> String {
    let filled = done * 30 / all.max(1);
    format!("  [{}{}] {what}: {done} of {all}\n", "=".repeat(filled), "-".repeat(30 - filled))
}

/// Makes the records that do not exist yet, and reads all back; what became of it.
pub async fn create(
    data: &TestDataPlan,
    module: &DataModule,
    ledger: &mut CreatedRecords,
    interrupts: &mut Interrupts,
    terminal: &Terminal,
) -> TestDataSummary {
    let began = Instant::now();
    let mut records = TestDataSummary::asked(data.count);
    if let Err(why) = make(data, module, ledger, interrupts, terminal, &mut records).await {
        records.trouble.get_or_insert(why);
    }
    records.made = ledger.all_made().len() as u64;
    records.seconds = began.elapsed().as_secs_f64();
    records
}

async fn make(
    data: &TestDataPlan,
    module: &DataModule,
    ledger: &mut CreatedRecords,
    interrupts: &mut Interrupts,
    terminal: &Terminal,
    records: &mut TestDataSummary,
) -> Result<(), String> {
    let client = web::client()?;
    let login = logged_in(data, &client).await?;
    let made: BTreeSet<u64> = ledger.all_made().into_iter().collect();
    let missing: Vec<u64> = (1..=data.count).filter(|number| !made.contains(number)).collect();
    let paths = data.created_paths();
    let (book, trouble) = (RefCell::new(&mut *ledger), RefCell::new(None));
    let blame = |why: String| _ = trouble.borrow_mut().get_or_insert(why);
    let one = async |number: u64| -> Result<(), String> {
        let body = if data.has_function { Some(body(module, number).await?) } else { None };
        let ready = PlaceholderValues { number, login: login.as_ref(), created: None }.request(&data.request, body);
        book.borrow_mut().sent(number)?;
        match ready.send(&client).await {
            Ok(answer) => {
                let kept = |path: &String| Some((path.clone(), web::at(&answer, path)?.clone()));
                let created: CreatedFields = paths.iter().filter_map(kept).collect();
                if let Some(path) = paths.iter().find(|path| !created.contains_key(*path)) {
                    blame(format!("the response that created a record has no `{path}`"));
                }
                book.borrow_mut().made(number, created)
            }
            Err(refusal) => {
                let is_known = refusal.status.is_some();
                blame(refusal.text);
                if is_known { book.borrow_mut().gone(number) } else { Ok(()) }
            }
        }
    };
    let each = async |number: u64| match one(number).await {
        Ok(()) => true,
        // A function that throws would throw again, and a full disk stays full.
        Err(why) => {
            blame(why);
            false
        }
    };
    let is_whole = paced("records answered", &missing, data.rate, interrupts, terminal, each).await;
    records.trouble = trouble.into_inner();
    if !is_whole {
        records.trouble.get_or_insert("it was interrupted".to_owned());
        return Ok(());
    }
    let Some(template) = &data.verify else { return Ok(()) };
    let (found, trouble) = (RefCell::new(0), RefCell::new(None));
    let ledger = &*ledger;
    let each = async |number: u64| {
        let filling = PlaceholderValues { number, login: login.as_ref(), created: ledger.created(number) };
        match filling.request(template, None).send(&client).await {
            Ok(_) => *found.borrow_mut() += 1,
            Err(refusal) => _ = trouble.borrow_mut().get_or_insert(format!("reading back: {}", refusal.text)),
        }
        true
    };
    paced("records looked for", &ledger.all_made(), data.rate, interrupts, terminal, each).await;
    records.verified = Some(found.into_inner());
    match trouble.into_inner() {
        Some(why) => Err(why),
        None => Ok(()),
    }
}

/// Removes the records that exist; what went wrong first. Of those nobody knows about, the ones that can be addressed.
pub async fn remove(
    data: &TestDataPlan,
    ledger: &mut CreatedRecords,
    interrupts: &mut Interrupts,
    terminal: &Terminal,
) -> (u64, Option<String>) {
    let Some(template) = &data.clean_up else { return (0, None) };
    let mut numbers = ledger.all_made();
    let paths = template.created_paths();
    if paths.is_empty() {
        numbers.extend(ledger.unknown());
    }
    let asked = async || {
        let client = web::client()?;
        let login = logged_in(data, &client).await?;
        Ok::<_, String>((client, login))
    };
    // A token of the beginning may have run out by now.
    let (client, login) = match asked().await {
        Ok(both) => both,
        Err(why) => return (0, Some(why)),
    };
    let (book, removed, trouble) = (RefCell::new(&mut *ledger), RefCell::new(0), RefCell::new(None));
    let each = async |number: u64| {
        let created = book.borrow().created(number).cloned();
        if let Some(path) = paths.iter().find(|path| created.as_ref().is_none_or(|known| !known.contains_key(*path))) {
            trouble.borrow_mut().get_or_insert(format!("the response that created it had no `{path}`"));
            return true;
        }
        let ready =
            PlaceholderValues { number, login: login.as_ref(), created: created.as_ref() }.request(template, None);
        let gone = match ready.send(&client).await {
            Ok(_) | Err(DataRequestError { status: Some(404 | 410), .. }) => book.borrow_mut().gone(number),
            Err(refusal) => Err(refusal.text),
        };
        match gone {
            Ok(()) => *removed.borrow_mut() += 1,
            Err(why) => _ = trouble.borrow_mut().get_or_insert(why),
        }
        true
    };
    let is_whole = paced("removals answered", &numbers, data.rate, interrupts, terminal, each).await;
    let (removed, mut trouble) = (removed.into_inner(), trouble.into_inner());
    if !is_whole {
        trouble.get_or_insert("it was interrupted".to_owned());
    }
    let left = ledger.all_made().len() + ledger.unknown().len();
    if left > 0 {
        let why = trouble.map(|why| format!(": {why}")).unwrap_or_default();
        let file = super::created_records::FILE;
        let (s, them) = if left == 1 { ("", "it") } else { ("s", "them") };
        trouble = Some(format!("{left} record{s} may still be there; `{file}` lists {them}{why}"));
    }
    (removed, trouble)
}
