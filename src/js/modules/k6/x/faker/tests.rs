//! All functions give something of their kind; a seed gives the same again.

use super::Faker;
use super::generate::Given;
use super::table::Table;
use crate::js::value::{Throw, Value};

fn shown(value: Result<Value, Throw>) -> String {
    match value {
        Ok(value) => format!("{value:?}"),
        Err(throw) => throw.report(),
    }
}

fn call(faker: &mut Faker, name: &str, given: &[&str]) -> Result<Value, Throw> {
    let place = Table::get().place(name).unwrap_or_else(|| panic!("there is no {name}"));
    faker.call(place, given.iter().map(|text| Given::default(text)).collect())
}

#[test]
fn every_category_and_function_is_there() {
    let table = Table::get();
    assert_eq!(table.categories().len(), 29);
    assert_eq!(table.members("zen").len(), 303);
    assert_eq!(table.members("_"), []);
    assert_eq!(
        table.members("movie").iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["movie", "movieGenre", "movieName"]
    );
}

#[test]
fn every_function_gives_something_and_the_same_for_a_seed() {
    let needed = |name: &str| match name {
        "float32Range" | "float64Range" | "intRange" => vec!["3", "9"],
        "teams" => vec!["[a;b;c]", "[x;y]"],
        "randomInt" | "randomUint" | "shuffleInts" => vec!["[4;5]"],
        "randomString" | "shuffleStrings" => vec!["[a;b]"],
        "digitN" | "letterN" => vec!["7"],
        "lexify" => vec!["a?"],
        "numerify" => vec!["1#"],
        _ => Vec::new(),
    };
    let all = |seed: u64| {
        let mut faker = Faker::new(seed);
        let members = Table::get().members("zen");
        members.into_iter().map(|(name, _)| (name, shown(call(&mut faker, name, &needed(name))))).collect::<Vec<_>>()
    };
    let (first, again, other) = (all(11), all(11), all(12));
    assert_eq!(first, again);
    let same = first.iter().zip(&other).filter(|(a, b)| a == b).count();
    assert!(same < 60, "{same} of 303 don't depend on the seed");
    for (name, value) in &first {
        assert!(
            !value.is_empty() && value != "\"\"" && !value.contains("Error:") && !value.contains("undefined"),
            "{name}: {value}"
        );
        assert!(!value.contains("{_") && !value.contains("{}"), "{name}: {value}");
    }
}

/// A seed gives what it gave in the versions before.
#[test]
fn values_of_a_seed_stay_as_they_are() {
    let check = |name: &str, expect: &str| {
        assert_eq!(shown(call(&mut Faker::new(11), name, &[])), expect, "{name}");
    };
    check("sentence", "\"Buy hit job wisely clearly.\"");
    check("question", "\"When be a good child draw?\"");
    check("email", "\"emilybriggs@eastjade.biz\"");
    check("creditCardNumber", "\"342403596203805\"");
    check("isin", "\"DK0240BIZM50\"");
    check("currency", r#"{"short": "COP", "long": "Colombia Peso"}"#);
    check(
        "job",
        r#"{"company": "Bright Harbor Consulting", "title": "Consultant", "descriptor": "Global", "level": "Assurance"}"#,
    );
    check(
        "address",
        r#"{"address": "3024 Lake Glenmouth, Winston-Salem, New York 20380", "street": "3024 Lake Glenmouth", "city": "Winston-Salem", "state": "New York", "zip": "20380", "country": "Guatemala", "latitude": 60.853678, "longitude": -171.824197}"#,
    );
    check(
        "product",
        r#"{"name": "Fusion Linen Watch", "description": "A nervous choice among beauty and personal care: energy-efficient, softly made of felt.", "categories": ["books"], "price": 10.27, "features": ["multi-functional", "compact"], "color": "lime", "material": "steel", "upc": "001915299206"}"#,
    );
    let person = shown(call(&mut Faker::new(11), "person", &[]));
    let fields =
        ["\"first_name\"", "\"last_name\"", "\"gender\"", "\"ssn\"", "\"image\": \"https://picsum.photos/300/300\""];
    for field in fields.into_iter().chain([
        "\"hobby\"",
        "\"job\": {\"company\"",
        "\"contact\": {\"phone\"",
        "\"credit_card\": {\"type\"",
    ]) {
        assert!(person.contains(field), "{person}");
    }
}

#[test]
fn what_is_given_is_followed() {
    let mut faker = Faker::new(5);
    for _ in 0..200 {
        let Ok(Value::Number(number)) = call(&mut faker, "intRange", &["2", "4"]) else { panic!() };
        assert!((2.0..=4.0).contains(&number));
        let Ok(Value::String(word)) = call(&mut faker, "password", &["true", "false", "true", "false", "false", "20"])
        else {
            panic!()
        };
        assert!(
            word.len() == 20 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()),
            "{word}"
        );
        let Ok(Value::String(card)) = call(&mut faker, "creditCardNumber", &["american-express", "[37]", "true"])
        else {
            panic!()
        };
        assert!(card.len() == 17 && card.starts_with("37") && card.as_bytes()[4] == b' ', "{card}");
        let Ok(Value::String(date)) = call(&mut faker, "dateRange", &["2020-01-01", "2020-12-31", "yyyy/MM/dd"]) else {
            panic!()
        };
        assert!(date.starts_with("2020/") && date.len() == 10, "{date}");
    }
    let check = |faker: &mut Faker, name: &str, given: &[&str], expect: &str| {
        assert_eq!(shown(call(faker, name, given)), expect)
    };
    check(&mut faker, "intRange", &["2"], "TypeError: missing parameter: max");
    check(&mut faker, "intRange", &["x", "1"], "GoError: strconv.ParseInt: parsing \"x\": invalid syntax");
    check(&mut faker, "sentence", &["0"], "GoError: must be between 1 and 100000, got 0");
    check(&mut faker, "lexify", &["abc"], "\"abc\"");
    check(&mut faker, "dice", &["3", "[1]"], "[1, 1, 1]");
}

#[test]
fn numbers_have_their_check_digits() {
    let mut faker = Faker::new(7);
    for _ in 0..100 {
        let Ok(Value::String(card)) = call(&mut faker, "creditCardNumber", &[]) else { panic!() };
        let sum: u32 = card
            .chars()
            .rev()
            .map(|c| c.to_digit(10).unwrap())
            .enumerate()
            .map(|(at, digit)| {
                if at % 2 == 0 {
                    digit
                } else if digit > 4 {
                    digit * 2 - 9
                } else {
                    digit * 2
                }
            })
            .sum();
        assert_eq!(sum % 10, 0, "{card}");
        let Ok(Value::String(upc)) = call(&mut faker, "productUpc", &[]) else { panic!() };
        let weighed = |at: usize, c: char| c.to_digit(10).unwrap() * if at.is_multiple_of(2) { 3 } else { 1 };
        assert_eq!(upc.chars().enumerate().map(|(at, c)| weighed(at, c)).sum::<u32>() % 10, 0, "{upc}");
    }
}
