//! Letters, sentences and paragraphs.

use std::sync::LazyLock;

use super::Faker;
use super::generate::{Generate, Given};
use super::table::Table;
use crate::js::value::Value;

/// At most so many words, sentences, paragraphs or letters are made by one call.
const MAX_COUNT: i64 = 100_000;

/// What sentences are made of.
static WORDS: LazyLock<[usize; 3]> = LazyLock::new(|| Table::named(["word", "hipsterWord", "loremIpsumWord"]));

pub(super) fn code(name: &str) -> Option<Generate> {
    Some(match name {
        "digitN" => |faker, given| {
            let count = length(&given[0])?;
            Ok((0..count).map(|_| faker.random.digit()).collect::<String>().into())
        },
        "letter" => |faker, _| Ok(letter(faker).to_string().into()),
        "letterN" => |faker, given| {
            let count = length(&given[0])?;
            Ok((0..count).map(|_| letter(faker)).collect::<String>().into())
        },
        "lexify" => |faker, given| {
            let replace = |c: char| if c == '?' { faker.random.letter() } else { c };
            Ok(given[0].text().chars().map(replace).collect::<String>().into())
        },
        "numerify" => |faker, given| {
            let form = given[0].text();
            Ok(numerified(faker, &form).into())
        },
        // One text, though its type is a list.
        "randomString" => |faker, given| {
            let mut list = given[0].list();
            if list.is_empty() {
                return Ok(Value::String(String::new()));
            }
            let at = faker.random.below(list.len());
            Ok(list.swap_remove(at).into())
        },
        "shuffleStrings" => |faker, given| {
            let mut list = given[0].list();
            faker.random.shuffle(&mut list);
            Ok(Value::List(list.into_iter().map(Value::from).collect()))
        },
        "uuid" => |faker, _| {
            let bits = (u128::from(faker.random.bits()) << 64) | u128::from(faker.random.bits());
            let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
            let hex = format!("{bits:032x}");
            Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-").into())
        },
        "sentence" => |faker, given| sentence_of(faker, &given[0], WORDS[0]),
        "hipsterSentence" => |faker, given| sentence_of(faker, &given[0], WORDS[1]),
        "loremIpsumSentence" => |faker, given| sentence_of(faker, &given[0], WORDS[2]),
        "paragraph" => |faker, given| paragraphs(faker, given, WORDS[0]),
        "hipsterParagraph" => |faker, given| paragraphs(faker, given, WORDS[1]),
        "loremIpsumParagraph" => |faker, given| paragraphs(faker, given, WORDS[2]),
        "simpleSentence" => |faker, _| {
            static PARTS: LazyLock<[usize; 3]> =
                LazyLock::new(|| Table::named(["nounPhrase", "transitiveVerb", "nounPhrase"]));
            let [who, what, whom] = PARTS.map(|part| faker.text(part));
            Ok(capitalized(format!("{who} {what} {whom}.")).into())
        },
        "question" => |faker, _| {
            static PARTS: LazyLock<[usize; 4]> =
                LazyLock::new(|| Table::named(["interrogativeAdjective", "helpingVerb", "nounPhrase", "actionVerb"]));
            let [word, helping, who, what] = PARTS.map(|part| faker.text(part));
            Ok(capitalized(format!("{word} {helping} {who} {what}?")).into())
        },
        _ => return None,
    })
}

fn length(given: &Given) -> Result<usize, String> {
    Ok(given.whole()?.clamp(1, MAX_COUNT) as usize)
}

/// A letter, small or large.
fn letter(faker: &mut Faker) -> char {
    let letter = faker.random.letter();
    if faker.random.below(2) == 0 { letter } else { letter.to_ascii_uppercase() }
}

/// A text whose `#` are digits.
pub(super) fn numerified(faker: &mut Faker, form: &str) -> String {
    form.chars().map(|c| if c == '#' { faker.random.digit() } else { c }).collect()
}

/// Makes the letter at this place a large one.
fn capitalize(text: &mut String, at: usize) {
    let Some(first) = text[at..].chars().next().filter(|first| !first.is_uppercase()) else { return };
    let large: String = first.to_uppercase().collect();
    text.replace_range(at..at + first.len_utf8(), &large);
}

fn capitalized(mut text: String) -> String {
    capitalize(&mut text, 0);
    text
}

fn sentence_of(faker: &mut Faker, count: &Given, word: usize) -> Result<Value, String> {
    let count = count.count(MAX_COUNT)?;
    let mut text = String::new();
    sentence(faker, count, word, &mut text);
    Ok(text.into())
}

/// Appends a sentence of so many words.
fn sentence(faker: &mut Faker, count: usize, word: usize, text: &mut String) {
    let begin = text.len();
    for at in 0..count {
        if at > 0 {
            text.push(' ');
        }
        faker.append(word, text);
    }
    capitalize(text, begin);
    text.push('.');
}

fn paragraphs(faker: &mut Faker, given: &[Given], word: usize) -> Result<Value, String> {
    let (paragraphs, sentences, words) =
        (given[0].count(MAX_COUNT)?, given[1].count(MAX_COUNT)?, given[2].count(MAX_COUNT)?);
    if paragraphs.saturating_mul(sentences).saturating_mul(words) > MAX_COUNT as usize {
        return Err(format!("more than {MAX_COUNT} words"));
    }
    let between = given[3].text();
    let mut text = String::new();
    for paragraph in 0..paragraphs {
        if paragraph > 0 {
            text += &between;
        }
        for at in 0..sentences {
            if at > 0 {
                text.push(' ');
            }
            sentence(faker, words, word, &mut text);
        }
    }
    Ok(text.into())
}
