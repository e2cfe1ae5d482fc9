//! Numbers and bytes as JSON writes them: in texts or not, with exponents, in either alphabet of base64.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::schema::FieldKind;
use super::wire::{put_varint, zigzag};

/// Writes an integer of this kind, if `text` is one: `1e3` and `1.0` are.
pub fn integer(kind: FieldKind, text: &str, out: &mut Vec<u8>) -> Option<()> {
    let signed =
        |range: std::ops::RangeInclusive<i64>| whole(text)?.try_into().ok().filter(|value| range.contains(value));
    let unsigned = |most: u64| whole(text)?.try_into().ok().filter(|value: &u64| *value <= most);
    let (narrow, wide) = (i64::from(i32::MIN)..=i64::from(i32::MAX), i64::MIN..=i64::MAX);
    match kind {
        FieldKind::Int32 => put_varint(out, signed(narrow)? as u64),
        FieldKind::Int64 => put_varint(out, signed(wide)? as u64),
        FieldKind::Sint32 => put_varint(out, zigzag(signed(narrow)?)),
        FieldKind::Sint64 => put_varint(out, zigzag(signed(wide)?)),
        FieldKind::Uint32 => put_varint(out, unsigned(u64::from(u32::MAX))?),
        FieldKind::Uint64 => put_varint(out, unsigned(u64::MAX)?),
        FieldKind::Fixed32 => out.extend_from_slice(&(unsigned(u64::from(u32::MAX))? as u32).to_le_bytes()),
        FieldKind::Fixed64 => out.extend_from_slice(&unsigned(u64::MAX)?.to_le_bytes()),
        FieldKind::Sfixed32 => out.extend_from_slice(&(signed(narrow)? as i32).to_le_bytes()),
        FieldKind::Sfixed64 => out.extend_from_slice(&signed(wide)?.to_le_bytes()),
        _ => return None,
    }
    Some(())
}

/// A whole number, however it is written.
fn whole(text: &str) -> Option<i128> {
    if let Ok(number) = text.parse::<i128>() {
        return (!text.starts_with('+')).then_some(number);
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (front, back) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let digits = front.strip_prefix('-').unwrap_or(front);
    if digits.is_empty() || !is_digits(digits) || !is_digits(back) {
        return None;
    }
    let joined = format!("{front}{back}");
    let places = exponent.checked_sub(i32::try_from(back.len()).ok()?)?;
    let number: i128 = joined.trim_end_matches('0').parse().ok().or_else(|| joined.parse().ok())?;
    if number == 0 {
        return Some(0);
    }
    let dropped = joined.len() - joined.trim_end_matches('0').len();
    let places = u32::try_from(places.checked_add(i32::try_from(dropped).ok()?)?).ok()?;
    number.checked_mul(10i128.checked_pow(places)?)
}

/// A number that need not be whole, or in a string one of those JSON has no number for.
pub fn float(text: &str, is_string: bool) -> Option<f64> {
    match text {
        "NaN" if is_string => Some(f64::NAN),
        "Infinity" if is_string => Some(f64::INFINITY),
        "-Infinity" if is_string => Some(f64::NEG_INFINITY),
        _ => {
            let starts = matches!(text.as_bytes(), [b'0'..=b'9', ..] | [b'-', b'0'..=b'9', ..]);
            text.parse().ok().filter(|number: &f64| starts && number.is_finite())
        }
    }
}

/// Base64 as Go reads it: bits left over at the end need not be zero, and ends of lines are passed over.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
const PADDED: GeneralPurposeConfig = LENIENT.with_decode_padding_mode(DecodePaddingMode::RequireCanonical);
const BARE: GeneralPurposeConfig = LENIENT.with_decode_padding_mode(DecodePaddingMode::RequireNone);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, PADDED);
const STANDARD_BARE: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, BARE);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, PADDED);
const URL_SAFE_BARE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, BARE);

/// Base64 of either alphabet, with or without padding. The length that decides whether there is padding counts ends of
/// lines, too.
pub fn unpack(text: &str) -> Option<Vec<u8>> {
    let is_url = text.contains(['-', '_']);
    let engine = match (is_url, text.len().is_multiple_of(4)) {
        (false, true) => STANDARD,
        (false, false) => STANDARD_BARE,
        (true, true) => URL_SAFE,
        (true, false) => URL_SAFE_BARE,
    };
    match text.contains(['\r', '\n']) {
        true => engine.decode(text.replace(['\r', '\n'], "")).ok(),
        false => engine.decode(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_found_however_they_are_written() {
        let check = |text: &str, expect: Option<i128>| assert_eq!(whole(text), expect, "{text}");
        check("0", Some(0));
        check("-0.0e5", Some(0));
        check("1e3", Some(1000));
        check("1200e-2", Some(12));
        check("-1.50e1", Some(-15));
        check("18446744073709551615", Some(u64::MAX.into()));
        for text in ["", "-", "1.5", "15e-1", "+1", "1e", "e1", "1e99", "0x1", "1.2.3", " 1", "1e-99"] {
            check(text, None);
        }
    }

    #[test]
    fn base64_is_read_as_go_reads_it() {
        let check = |text: &str, expect: Option<&[u8]>| assert_eq!(unpack(text).as_deref(), expect, "{text:?}");
        check("", Some(b""));
        for text in ["YWI=", "YWI", "YWK=", "YWJ", "YW\nI", "Y\r\nWI\n=\n\n\n\n\n"] {
            check(text, (text != "YW\nI").then_some(b"ab"));
        }
        check("YR==", Some(b"a"));
        check("a-_b", Some(&[0x6b, 0xef, 0xdb]));
        check("a+/b", Some(&[0x6b, 0xef, 0xdb]));
        for text in ["a", "a b", "====", "YWI=\n", "Y===", "a-/b", "YWI==", "é"] {
            check(text, None);
        }
    }

    #[test]
    fn numbers_stay_in_their_range() {
        let check = |kind: FieldKind, text: &str, expect: bool| {
            assert_eq!(integer(kind, text, &mut Vec::new()).is_some(), expect, "{kind:?} {text}");
        };
        check(FieldKind::Int32, "2147483647", true);
        check(FieldKind::Int32, "2147483648", false);
        check(FieldKind::Sfixed64, "-9223372036854775808", true);
        check(FieldKind::Uint32, "-1", false);
        check(FieldKind::Fixed64, "18446744073709551616", false);
        check(FieldKind::Bool, "1", false);
        for (text, is_string, expect) in [
            ("1.5", false, true),
            ("NaN", false, false),
            ("NaN", true, true),
            ("inf", true, false),
            (".5", false, false),
        ] {
            assert_eq!(float(text, is_string).is_some(), expect, "{text}");
        }
    }
}
