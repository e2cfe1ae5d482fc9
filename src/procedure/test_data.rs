//! Records to make before the runs, as a procedure file says.

use std::collections::BTreeSet;

use super::decode::{DecodeError, JsonNode};
use super::request_template::Template;

/// Records to make before the runs.
#[derive(Clone, Debug)]
pub struct TestDataPlan {
    /// How many.
    pub count: u64,
    /// At most so many per second.
    pub rate: f64,
    /// How one is made.
    pub request: Template,
    /// Bodies are what the function `data.record` makes of the number.
    pub has_function: bool,
    /// Asked first; its answer is put where templates say `{login.PATH}`.
    pub login: Option<Template>,
    /// How one is read back when all are made.
    pub verify: Option<Template>,
    /// How one is deleted when all runs are over; `{created.PATH}` is of the answer that made it.
    pub clean_up: Option<Template>,
}

impl TestDataPlan {
    /// Checks it as written.
    pub fn read(node: &JsonNode, base: Option<&str>) -> Result<Self, DecodeError> {
        let fields = node.object(&["count", "rate", "request", "record", "login", "verify", "cleanUp"])?;
        let template = |key: &str, method| fields.get(key).map(|node| Template::read(&node, base, method)).transpose();
        let count = fields.need("count", "how many records to make")?.whole(1, 10_000_000)?;
        let rate = fields.get("rate").map_or(Ok(50.0), |node| node.positive())?;
        let place = fields.need("request", "the request that makes a record")?;
        let request = Template::read(&place, base, "POST")?;
        let function = fields.get("record");
        if let Some(record) = &function {
            if !record.is_function() {
                return Err(record.expected("a function such as (i) => ({ title: `Test ${i}` })"));
            }
            if request.body.is_some() {
                let why = "a body comes from `data.request.body` or from the function `data.record`, not from both";
                return Err(record.wrong(why));
            }
        }
        let login = template("login", "POST")?;
        let (verify, clean_up) = (template("verify", "GET")?, template("cleanUp", "DELETE")?);
        Ok(Self { count, rate, request, has_function: function.is_some(), login, verify, clean_up })
    }

    /// The parts of answers that later requests need.
    pub fn created_paths(&self) -> BTreeSet<String> {
        self.verify.iter().chain(&self.clean_up).flat_map(Template::created_paths).collect()
    }
}
