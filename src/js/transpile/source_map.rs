//! Source maps that bundlers write: where each part of a file came from.

use serde_json::Value;

use super::positions::{Mapping, PositionMap};

/// What the last `sourceMappingURL` comment of a file says.
pub(super) fn address(text: &str) -> Option<String> {
    const SIGN: &str = "//# sourceMappingURL=";
    let at = text.rfind(SIGN)?;
    let is_own_line = text[..at].rsplit('\n').next().is_some_and(|before| before.trim().is_empty());
    let address = text[at + SIGN.len()..].lines().next()?.trim();
    (is_own_line && !address.is_empty() && !address.contains([' ', '\'', '"', '`'])).then(|| address.to_owned())
}

/// Reads a map; its sources are relative to `address`, which is that of the map or of the file that holds it.
pub(super) fn read(json: &str, address: &str) -> Option<PositionMap> {
    let map: Value = serde_json::from_str(json.trim_start_matches(")]}'")).ok()?;
    let root = map["sourceRoot"].as_str().unwrap_or_default();
    let mut sources = Vec::new();
    for source in map["sources"].as_array()? {
        let name = source.as_str().unwrap_or_default();
        let name = if root.is_empty() { name.to_owned() } else { format!("{}/{name}", root.trim_end_matches('/')) };
        sources.push(if name.contains("://") { name } else { crate::source::specifier::beside(address, &name) });
    }
    Some(PositionMap::map(tokens(map["mappings"].as_str()?)?, sources))
}

/// Decodes `mappings`: lines end with `;`, places with `,`; each place is a row of numbers relative to the one before.
fn tokens(mappings: &str) -> Option<Vec<Mapping>> {
    let mut tokens = Vec::new();
    let (mut source, mut source_line, mut source_column) = (0i64, 0i64, 0i64);
    for (line, places) in mappings.split(';').enumerate() {
        let mut column = 0i64;
        for place in places.split(',').filter(|place| !place.is_empty()) {
            let numbers = numbers(place)?;
            column = column.checked_add(*numbers.first()?)?;
            let [_, to_source, to_line, to_column, ..] = numbers[..] else { continue };
            source = source.checked_add(to_source)?;
            source_line = source_line.checked_add(to_line)?;
            source_column = source_column.checked_add(to_column)?;
            tokens.push(Mapping {
                line: u32::try_from(line).ok()?,
                column: u32::try_from(column).ok()?,
                source: u32::try_from(source).ok()?,
                source_line: u32::try_from(source_line).ok()?,
                source_column: u32::try_from(source_column).ok()?,
            });
        }
    }
    Some(tokens)
}

/// Base 64 digits of five bits each and a sign that more follow; the lowest bit of a number is its sign.
fn numbers(place: &str) -> Option<Vec<i64>> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut numbers, mut number, mut shift) = (Vec::new(), 0i64, 0);
    for byte in place.bytes() {
        let digit = DIGITS.iter().position(|digit| *digit == byte)? as i64;
        number |= (digit & 31).checked_shl(shift)?;
        shift += 5;
        if digit & 32 == 0 {
            numbers.push(if number & 1 == 0 { number >> 1 } else { -(number >> 1) });
            (number, shift) = (0, 0);
        }
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::js::transpile::Positions;

    #[test]
    fn maps_lead_to_their_sources() {
        let json = r#"{"version":3,"sources":["../src/a.ts"],"mappings":"AAAA;AACA,IAAI;"}"#;
        let mut positions = Positions::default();
        positions.put_first(read(json, "file:///app/dist/a.js").unwrap());
        let place = positions.origin(2, 5);
        assert_eq!((place.file.as_deref(), place.line, place.column), (Some("file:///app/src/a.ts"), 2, 4));
    }

    #[test]
    fn comments_name_maps() {
        let check = |text: &str, expect: Option<&str>| assert_eq!(address(text).as_deref(), expect);
        check("x\n//# sourceMappingURL=x.js.map\n", Some("x.js.map"));
        check("x //# sourceMappingURL=x.js.map", None);
        check("'//# sourceMappingURL='", None);
    }
}
