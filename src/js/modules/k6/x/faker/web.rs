//! What belongs to the internet: addresses, agents, statuses, passwords.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Faker;
use super::generate::{Generate, Given, number};
use crate::js::value::Value;

pub(super) fn code(name: &str) -> Option<Generate> {
    Some(match name {
        "chromeUserAgent" => |faker, _| Ok(chrome(faker).into()),
        "firefoxUserAgent" => |faker, _| Ok(firefox(faker).into()),
        "operaUserAgent" => |faker, _| Ok(opera(faker).into()),
        "safariUserAgent" => |faker, _| Ok(safari(faker).into()),
        "userAgent" => |faker, _| {
            let browsers: [fn(&mut Faker) -> String; 4] = [chrome, firefox, opera, safari];
            Ok(browsers[faker.random.below(4)](faker).into())
        },
        "httpStatusCode" => |faker, _| {
            const CODES: [i64; 61] = [
                100, 101, 102, 103, 200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305,
                307, 308, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417,
                418, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 506, 507, 508,
                511,
            ];
            number(CODES[faker.random.below(CODES.len())])
        },
        "httpStatusCodeSimple" => |faker, _| {
            const CODES: [i64; 8] = [200, 301, 302, 400, 404, 500, 403, 401];
            number(CODES[faker.random.below(CODES.len())])
        },
        "imageUrl" => |_, given| {
            let (width, height) = (given[0].whole()?, given[1].whole()?);
            Ok(format!("https://picsum.photos/{width}/{height}").into())
        },
        "ipv4Address" => |faker, _| Ok(Ipv4Addr::from(faker.random.bits() as u32).to_string().into()),
        "ipv6Address" => |faker, _| {
            let bits = (u128::from(faker.random.bits()) << 64) | u128::from(faker.random.bits());
            Ok(Ipv6Addr::from(bits).to_string().into())
        },
        "macAddress" => |faker, _| {
            let parts: Vec<String> = (0..6).map(|_| format!("{:02x}", faker.random.below(256))).collect();
            Ok(parts.join(":").into())
        },
        "password" => password,
        _ => return None,
    })
}

fn system(faker: &mut Faker) -> &'static str {
    faker.random.pick(&[
        "Windows NT 10.0; Win64; x64",
        "Windows NT 6.1; Win64; x64",
        "Macintosh; Intel Mac OS X 10_15_7",
        "Macintosh; Intel Mac OS X 13_4",
        "X11; Linux x86_64",
        "X11; Ubuntu; Linux x86_64",
    ])
}

fn chrome(faker: &mut Faker) -> String {
    let (system, major, build) = (system(faker), faker.random.between(90, 130), faker.random.between(4000, 6500));
    format!("Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{major}.0.{build}.0 Safari/537.36")
}

fn firefox(faker: &mut Faker) -> String {
    let (system, major) = (system(faker), faker.random.between(80, 130));
    format!("Mozilla/5.0 ({system}; rv:{major}.0) Gecko/20100101 Firefox/{major}.0")
}

fn opera(faker: &mut Faker) -> String {
    let (chrome, major) = (chrome(faker), faker.random.between(70, 110));
    format!("{chrome} OPR/{major}.0.0.0")
}

fn safari(faker: &mut Faker) -> String {
    let (major, minor) = (faker.random.between(12, 17), faker.random.between(0, 6));
    format!(
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{major}.{minor} \
         Safari/605.1.15"
    )
}

/// Of each kind of sign that is asked for there is at least one, if there is room.
fn password(faker: &mut Faker, given: &mut [Given]) -> Result<Value, String> {
    const KINDS: [&str; 5] =
        ["abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", "!@#$%&*+-_=?:;,.|(){}<>", " "];
    let length = given[5].whole()?.clamp(5, 10_000) as usize;
    let mut kinds: Vec<&str> = Vec::new();
    for (kind, given) in KINDS.into_iter().zip(given) {
        if given.flag()? {
            kinds.push(kind);
        }
    }
    if kinds.is_empty() {
        kinds = KINDS[..3].to_vec();
    }
    let all: Vec<char> = kinds.iter().flat_map(|kind| kind.chars()).collect();
    let mut text: Vec<char> = kinds
        .iter()
        .map(|kind| char::from(kind.as_bytes()[faker.random.below(kind.len())]))
        .chain(std::iter::repeat('\0'))
        .take(length)
        .collect();
    for place in text.iter_mut().filter(|place| **place == '\0') {
        *place = all[faker.random.below(all.len())];
    }
    faker.random.shuffle(&mut text);
    // A blank at either end would be cut off by forms.
    let last = text.len() - 1;
    for at in [0, last] {
        if text[at] == ' ' {
            text[at] = faker.random.letter();
        }
    }
    Ok(text.into_iter().collect::<String>().into())
}
