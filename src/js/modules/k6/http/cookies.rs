//! `CookieJar`: the script's view of a jar.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::go;
use super::request::{is_true, number};
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};
use crate::net::http::proto::cookies::parse_date;
use crate::net::http::{Cookie, CookieJar, Url};

/// The jar a VU uses unless a request names another.
#[derive(Default)]
pub struct VuJar(pub RefCell<Arc<CookieJar>>);

impl VuJar {
    /// The jar.
    pub fn get(&self) -> Arc<CookieJar> {
        self.0.borrow().clone()
    }
}

/// The jar a script gives as one of its params; `None` where it is no jar.
pub fn jar_of(value: &Value) -> Option<Arc<CookieJar>> {
    let Value::Resource(resource) = value else { return None };
    resource.clone().downcast::<Arc<CookieJar>>().ok().map(|jar| (*jar).clone())
}

pub(super) fn new_jar(_vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    Ok(Value::Resource(Rc::new(Arc::new(CookieJar::default()))))
}

pub(super) fn vu_jar(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    Ok(Value::Resource(Rc::new(vu.module_state::<VuJar>().get())))
}

#[expect(clippy::redundant_allocation, reason = "resources are `Rc` on this side of the border")]
fn jar_and_url(args: &mut Args) -> Result<(Rc<Arc<CookieJar>>, Url), Throw> {
    let jar = args.resource::<Arc<CookieJar>>(0)?;
    let url = Url::parse(&args.string(1)).map_err(Throw::go)?;
    Ok((jar, url))
}

/// `(jar, url)` -> name -> values.
pub(super) fn jar_cookies(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let (jar, url) = jar_and_url(&mut args)?;
    let mut map: Vec<(String, Value)> = Vec::new();
    let mut index: HashMap<String, usize> = HashMap::new();
    for (name, value) in jar.cookies_for(&url) {
        let at = *index.entry(name.clone()).or_insert(map.len());
        match map.get_mut(at) {
            Some((_, Value::List(values))) => values.push(value.into()),
            _ => map.push((name, Value::List(vec![value.into()]))),
        }
    }
    Ok(Value::Map(map))
}

/// `(jar, url, name, value, options)`
pub(super) fn jar_set(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let (jar, url) = jar_and_url(&mut args)?;
    let mut cookie = Cookie { name: args.string(2), value: args.string(3), ..Cookie::default() };
    if let Value::Map(options) = args.take(4) {
        for (key, value) in options {
            match (key.to_ascii_lowercase().as_str(), value) {
                ("domain", domain) => cookie.domain = go::string_of(&domain),
                ("path", path) => cookie.path = go::string_of(&path),
                ("expires", date) => {
                    let date = go::string_of(&date);
                    if !date.is_empty() {
                        cookie.expires = Some(parse_date(&date).ok_or_else(|| {
                            let weekday: String = date.chars().take(10).collect();
                            Throw::go(format!(
                                "unable to parse \"expires\" date string {date:?}: parsing time {date:?} as \"Mon, 02 \
                                 Jan 2006 15:04:05 MST\": cannot parse {weekday:?} as \"Mon\""
                            ))
                        })?);
                    }
                }
                ("max_age", age) => cookie.max_age = number(&age) as i64,
                ("secure", secure) => cookie.secure = is_true(&secure),
                ("http_only", only) => cookie.http_only = is_true(&only),
                _ => {}
            }
        }
    }
    jar.set(&url, cookie);
    Ok(Value::Bool(true))
}

/// `(jar, url, name)`
pub(super) fn jar_delete(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let (jar, url) = jar_and_url(&mut args)?;
    let name = args.string(2);
    if name.is_empty() {
        return Err(Throw::go("cookie: is null"));
    }
    jar.delete(&url, &name);
    Ok(Value::Undefined)
}

/// `(jar, url)`
pub(super) fn jar_clear(_vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let (jar, url) = jar_and_url(&mut args)?;
    jar.clear(&url);
    Ok(Value::Undefined)
}
