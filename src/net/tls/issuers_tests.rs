//! What is fetched, in which order, how often, and what is made of it: against addresses that are a table.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use futures_util::future::{LocalBoxFuture, join_all};
use rustls::pki_types::CertificateDer;
use tokio::sync::Notify;

use super::issuers::*;
use crate::log::Logger;
use crate::units::sync::lock;

/// A certificate that says where its issuer is.
fn certificate(urls: &[&str], last_year: i32) -> CertificateDer<'static> {
    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let head =
            if length < 128 { vec![tag, length as u8] } else { vec![tag, 0x82, (length >> 8) as u8, length as u8] };
        [&head[..], content].concat()
    }
    let issuers = [6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2];
    let place = |url: &&str| der(0x30, &[&issuers[..], &der(0x86, url.as_bytes())].concat());
    let places = der(0x30, &urls.iter().map(place).collect::<Vec<_>>().concat());
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.not_after = rcgen::date_time_ymd(last_year, 1, 1);
    let access = rcgen::CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], places);
    params.custom_extensions = if urls.is_empty() { Vec::new() } else { vec![access] };
    params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().clone()
}

/// Bodies by their addresses; what was asked for, in order.
#[derive(Default)]
struct Table {
    bodies: HashMap<String, Vec<u8>>,
    asked: RefCell<Vec<String>>,
    /// Nothing is answered before this, if it is there.
    gate: Option<Rc<Notify>>,
}

impl Table {
    fn new<'a>(certificates: impl IntoIterator<Item = (&'a str, CertificateDer<'static>)>) -> Self {
        let bodies = certificates.into_iter().map(|(url, der)| (url.to_owned(), der.to_vec())).collect();
        Self { bodies, ..Self::default() }
    }

    fn asked(&self) -> String {
        self.asked.take().join(" ")
    }
}

impl IssuerTransport for Table {
    fn get(&self, url: &str) -> LocalBoxFuture<'static, Result<IssuerResponse, String>> {
        self.asked.borrow_mut().push(url.to_owned());
        let (body, gate) = (self.bodies.get(url).cloned(), self.gate.clone());
        Box::pin(async move {
            if let Some(gate) = gate {
                gate.notified().await;
            }
            let body = body.ok_or_else(|| "nothing there".to_owned())?.into();
            Ok(IssuerResponse { content_type: String::new(), body })
        })
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, future)
}

fn store() -> Arc<IssuerStore> {
    IssuerStore::new(&Logger::silent())
}

/// How many certificates are reached from these addresses with fetches.
fn reach(store: &Arc<IssuerStore>, urls: &[&str], table: &Table) -> usize {
    let urls: Vec<String> = urls.iter().map(|url| (*url).to_owned()).collect();
    wait(store.fetch(&urls, table)).len()
}

#[test]
fn the_nearest_come_first_and_none_twice() {
    let table = Table::new([
        ("a", certificate(&["aa", "ab", "b"], 2100)),
        ("b", certificate(&["ba", "a"], 2100)),
        ("aa", certificate(&["b"], 2100)),
        ("ba", certificate(&[], 2100)),
    ]);
    assert_eq!(reach(&store(), &["a", "b", "a"], &table), 4);
    assert_eq!(table.asked(), "a b aa ab ba");
}

#[test]
fn a_chain_takes_five_fetches_at_most() {
    let urls: Vec<String> = (0..9).map(|level| level.to_string()).collect();
    let table = Table::new((0..8).map(|level| (&*urls[level], certificate(&[&urls[level + 1]], 2100))));
    let store = store();
    assert_eq!(reach(&store, &["0"], &table), 5);
    assert_eq!(table.asked(), "0 1 2 3 4");
    let known = store.known(&urls[..1]);
    assert_eq!((known.certificates.len(), known.is_complete), (5, false));
    // What is known does not count, what fails does.
    assert_eq!(reach(&store, &["0"], &table), 8);
    assert_eq!(table.asked(), "5 6 7 8");
    assert_eq!(reach(&store, &["u", "v", "w", "x", "y", "z", "7"], &table), 1);
    assert_eq!(table.asked(), "u v w x y");
}

#[test]
fn what_is_known_is_not_fetched_again() {
    let table = Table::new([("new", certificate(&[], 2100)), ("old", certificate(&[], 2020))]);
    let store = store();
    for asked in ["new old none", "old none"] {
        // One that has expired is found, to say so, and not kept.
        assert_eq!(reach(&store, &["new", "old", "none"], &table), 2);
        assert_eq!(table.asked(), asked);
    }
    let known = |urls: &[&str]| store.known(&urls.iter().map(|url| (*url).to_owned()).collect::<Vec<_>>());
    assert!(known(&["new"]).is_complete && !known(&["new", "none"]).is_complete);
}

#[test]
fn who_asks_meanwhile_waits_for_the_same_fetch() {
    let gate = Rc::new(Notify::new());
    let table = Table { gate: Some(gate.clone()), ..Table::new([("a", certificate(&[], 2100))]) };
    let (store, urls) = (store(), ["a".to_owned(), "none".to_owned()]);
    let found = wait(async {
        let open = Cell::new(true);
        let fetches = async {
            // One that stops waiting leaves its fetch to the others.
            let first = tokio::select! {
                biased;
                found = store.fetch(&urls, &table) => found.len(),
                () = tokio::task::yield_now() => 0,
            };
            let found = join_all((0..10).map(|_| store.fetch(&urls, &table))).await;
            open.set(false);
            first + found.iter().map(Vec::len).sum::<usize>()
        };
        let opening = async {
            while open.get() {
                tokio::task::yield_now().await;
                gate.notify_waiters();
            }
        };
        tokio::join!(fetches, opening).0
    });
    assert_eq!(found, 10);
    assert_eq!(table.asked(), "a none");
}

#[test]
fn the_oldest_makes_room() {
    let der = certificate(&[], 2100);
    let urls: Vec<String> = (0..300).map(|number| number.to_string()).collect();
    let table = Table::new(urls.iter().map(|url| (url.as_str(), der.clone())));
    let store = store();
    for url in &urls {
        assert_eq!(reach(&store, &[url], &table), 1);
    }
    let known = |at: usize| store.known(&urls[at..=at]).is_complete;
    assert_eq!((known(0), known(43), known(44), known(299)), (false, false, true, true));
}

#[test]
fn odd_bodies_are_told_apart() {
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = seen.clone();
    let logger = Logger::new(move |entry| lock(&log).push(entry.message));
    let der = certificate(&[], 2100).to_vec();
    let pem = |label: &str, body: &[u8]| {
        let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, body);
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n").into_bytes()
    };
    let check = |body: Vec<u8>, found: usize, said: &str| {
        let table = Table { bodies: [("x".to_owned(), body)].into(), ..Table::default() };
        assert_eq!(reach(&IssuerStore::new(&logger), &["x"], &table), found, "{said}");
        let messages = std::mem::take(&mut *lock(&seen));
        assert!(messages.iter().map(|text| &text[..8]).eq(said.split_terminator(',')), "{messages:?}");
    };
    let (failed, bag) = ("AIA: the", "AIA resp,AIA: the");
    check(der.clone(), 1, "");
    check(pem("CERTIFICATE", &der), 1, "");
    check([pem("PRIVATE KEY", b"x"), pem("CERTIFICATE", &der), pem("CERTIFICATE", b"x")].concat(), 1, "");
    check([&der[..], b"\n"].concat(), 0, failed);
    check(der[..der.len() - 1].to_vec(), 0, failed);
    check(pem("CERTIFICATE", b"nothing of the kind"), 0, failed);
    check(Vec::new(), 0, failed);
    check(pem("PKCS7", b"a bag"), 0, bag);
    check([&[0x30, 0x20, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2][..], &der].concat(), 0, bag);
}
