//! Cards, accounts, currencies, securities: of the right length, and with check digits that are right.

use std::sync::LazyLock;

use super::generate::{Generate, Given, rounded};
use super::table::Table;
use super::{Faker, times};
use crate::js::value::Value;

/// A kind of card: its name, the starts of its numbers, how long they are, where gaps go.
struct Card {
    kind: &'static str,
    starts: &'static [&'static str],
    length: usize,
    gaps: &'static [usize],
}

const FOURS: &[usize] = &[4, 8, 12];
const CARDS: [Card; 11] = [
    Card { kind: "visa", starts: &["4"], length: 16, gaps: FOURS },
    Card { kind: "mastercard", starts: &["51", "52", "53", "54", "55"], length: 16, gaps: FOURS },
    Card { kind: "american-express", starts: &["34", "37"], length: 15, gaps: &[4, 10] },
    Card { kind: "diners-club", starts: &["300", "305", "36", "38"], length: 14, gaps: &[4, 10] },
    Card { kind: "discover", starts: &["6011", "644", "65"], length: 16, gaps: FOURS },
    Card { kind: "jcb", starts: &["3528", "3589"], length: 16, gaps: FOURS },
    Card { kind: "unionpay", starts: &["620", "624", "626"], length: 16, gaps: FOURS },
    Card { kind: "maestro", starts: &["5018", "5020", "6304"], length: 16, gaps: FOURS },
    Card { kind: "elo", starts: &["4011", "5067", "509"], length: 16, gaps: FOURS },
    Card { kind: "hiper", starts: &["637095", "637568"], length: 16, gaps: FOURS },
    Card { kind: "hipercard", starts: &["606282"], length: 16, gaps: FOURS },
];

pub(super) fn code(name: &str) -> Option<Generate> {
    Some(match name {
        "cardNumber" => |faker, _| Ok(number(faker, &CARDS.each_ref(), &[], false).into()),
        "creditCardExp" => |faker, _| Ok(expiry(faker).into()),
        "creditCardExpMonth" => |faker, _| Ok(format!("{:02}", faker.random.between(1, 12)).into()),
        "creditCardExpYear" => |faker, _| {
            let year = times::this_year();
            Ok(faker.random.between(year + 1, year + 10).to_string().into())
        },
        "creditCardNumber" => card_number,
        "currency" => |faker, _| {
            let (short, long) = currency(faker);
            Ok(Value::Record(&["short", "long"], vec![Value::Text(short), Value::Text(long)]))
        },
        "currencyShort" => |faker, _| Ok(Value::Text(currency(faker).0)),
        "currencyLong" => |faker, _| Ok(Value::Text(currency(faker).1)),
        "price" => {
            |faker, given| Ok(Value::Number(rounded(faker.random.float(given[0].float()?, given[1].float()?), 100.0)))
        }
        "achRoutingNumber" => |faker, _| {
            let digits: Vec<u32> = (0..8).map(|_| faker.random.below(10) as u32).collect();
            let sum: u32 = digits.iter().zip([3, 7, 1, 3, 7, 1, 3, 7]).map(|(digit, weight)| digit * weight).sum();
            let check = (10 - sum % 10) % 10;
            Ok(digits.into_iter().chain([check]).map(|digit| digit.to_string()).collect::<String>().into())
        },
        "bitcoinAddress" => |faker, _| {
            let start = if faker.random.below(2) == 0 { "1" } else { "3" };
            let length = faker.random.between(25, 33) as usize;
            Ok(format!("{start}{}", base58(faker, length)).into())
        },
        "bitcoinPrivateKey" => |faker, _| {
            let start = if faker.random.below(2) == 0 { "5" } else { "K" };
            Ok(format!("{start}{}", base58(faker, 50)).into())
        },
        "cusip" => |faker, _| Ok(cusip(faker).into()),
        "isin" => |faker, _| {
            static COUNTRY: LazyLock<[usize; 1]> = LazyLock::new(|| Table::named(["countryAbbreviation"]));
            let (country, cusip) = (faker.text(COUNTRY[0]), cusip(faker));
            let body = format!("{country}{cusip}");
            let digits: String = body.chars().filter_map(|c| c.to_digit(36)).map(|value| value.to_string()).collect();
            Ok(format!("{body}{}", luhn(&digits)).into())
        },
        _ => return None,
    })
}

/// The digit that makes a number pass the check of Luhn.
fn luhn(digits: &str) -> u32 {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, digit)| match (at % 2, u32::from(digit - b'0')) {
            (0, digit) if digit > 4 => digit * 2 - 9,
            (0, digit) => digit * 2,
            (_, digit) => digit,
        })
        .sum();
    (10 - sum % 10) % 10
}

fn base58(faker: &mut Faker, length: usize) -> String {
    const LETTERS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    (0..length).map(|_| char::from(LETTERS[faker.random.below(58)])).collect()
}

fn cusip(faker: &mut Faker) -> String {
    const LETTERS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let body: Vec<usize> = (0..8).map(|at| faker.random.below(if at < 4 { 10 } else { 36 })).collect();
    let sum: usize =
        body.iter().enumerate().map(|(at, value)| value * (1 + at % 2)).map(|value| value / 10 + value % 10).sum();
    let letters: String = body.iter().map(|value| char::from(LETTERS[*value])).collect();
    format!("{letters}{}", (10 - sum % 10) % 10)
}

/// The short and the long name of one.
fn currency(faker: &mut Faker) -> (&'static str, &'static str) {
    static BOTH: LazyLock<[usize; 1]> = LazyLock::new(|| Table::named(["_.currencies"]));
    match faker.value(BOTH[0]) {
        Value::Text(both) => both.split_once(' ').unwrap_or_default(),
        _ => unreachable!("currencies are a list"),
    }
}

fn expiry(faker: &mut Faker) -> String {
    let (month, year) = (faker.random.between(1, 12), times::this_year() + faker.random.between(1, 10));
    let digit = |value: i64| char::from(b'0' + (value % 10) as u8);
    [digit(month / 10), digit(month), '/', digit(year / 10), digit(year)].into_iter().collect()
}

fn card_number(faker: &mut Faker, given: &mut [Given]) -> Result<Value, String> {
    let (types, bins, gaps) = (given[0].list(), given[1].list(), given[2].flag()?);
    let is_wanted = |card: &&Card| types.iter().any(|kind| kind == "all" || kind == card.kind);
    let cards: Vec<&Card> = CARDS.iter().filter(is_wanted).collect();
    if cards.is_empty() {
        return Err(format!("unknown credit card type: {}", types.join(",")));
    }
    if let Some(wrong) = bins.iter().find(|bin| bin.len() > 12 || !bin.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(format!("{wrong:?} can't be the start of a number"));
    }
    Ok(number(faker, &cards, &bins, gaps).into())
}

fn number(faker: &mut Faker, cards: &[&Card], bins: &[String], has_gaps: bool) -> String {
    let card = cards[faker.random.below(cards.len())];
    let start = match bins {
        [] => faker.random.pick(card.starts),
        bins => bins[faker.random.below(bins.len())].as_str(),
    };
    let mut digits = String::with_capacity(card.length + card.gaps.len()) + start;
    while digits.len() < card.length - 1 {
        digits.push(faker.random.digit());
    }
    let check = luhn(&digits);
    digits.extend(char::from_digit(check, 10));
    if has_gaps {
        card.gaps.iter().rev().for_each(|at| digits.insert(*at, ' '));
    }
    digits
}
