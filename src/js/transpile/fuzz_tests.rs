//! What must hold for whatever is in files of code and their source maps. Entered here with broken examples, and by the targets of
//! `tests/fuzz` with what libFuzzer thinks of.

use super::{Positions, source_map, transpile};
use crate::source::Module;

/// A source map: places lead somewhere, or the map is none.
pub fn map(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    _ = source_map::address(&text);
    let Some(layer) = source_map::read(&text, "file:///app/dist/a.js") else { return };
    let mut positions = Positions::default();
    positions.put_first(layer);
    for line in [0, 1, 2, 3, u32::MAX] {
        for column in [0, 1, 7, u32::MAX] {
            _ = positions.origin(line, column);
        }
    }
}

/// A file of TypeScript or JavaScript: engines get something, or one error.
pub fn script(data: &[u8]) {
    for name in ["file:///a.ts", "file:///a.js"] {
        let module = Module::new(name, &bytes::Bytes::copy_from_slice(data));
        _ = super::use_directives(&module.text);
        if let Ok(mut prepared) = transpile(&module) {
            _ = (super::exports(&prepared.text), super::requests(&prepared.text));
            _ = prepared.lower("x");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::http::fuzz_tests::break_each;

    #[test]
    fn any_map_leads_somewhere_or_nowhere() {
        break_each(
            &[
                br#"{"version":3,"sourceRoot":"r","sources":["../src/a.ts",null],"mappings":"AAAA;AACA,IAAI,C;;ADDA,gggggggggggggB"}"#,
                br#")]}'{"sources":["webpack://x/y"],"mappings":"ggggggggggggI,ggggggggggggI,+/+/+/+/+/+/A"}"#,
                b"x\n//# sourceMappingURL=data:application/json;base64,e30=\n",
            ],
            map,
        );
    }

    #[test]
    fn any_file_is_read_or_refused() {
        break_each(
            &[
                b"import a, { type B } from './b.ts'; export const x: number = <any>a!; enum E { A = 1 } export default () => `${x}`;",
                b"const k = require('k6/http'); module.exports = { default: function* () { yield* [1] }, ...k }; // \xc3",
                b"'use k6 > 1.0';\nclass A { #p = 1; static { try { throw 1 } catch { } } get [x]() { return /[/]\\/u } }",
            ],
            script,
        );
    }
}
