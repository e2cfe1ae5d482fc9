//! What must hold for durations as people write them; and the breaking of examples that all such tests share.

use super::Span;

/// A duration: what was read is written so that it is read as the same.
pub fn duration(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for read in [Span::parse, Span::parse_go] {
        if let Ok(span) = read(&text) {
            let written = span.to_string();
            assert_eq!(Span::parse_go(&written), Ok(span), "{text:?} is {written}");
            _ = (span.to_duration(), span.fixed_width(span));
        }
    }
}

/// Breaks examples in many ways and lets `check` look at each: a few thousand times, or for as many seconds as
/// `VOLLEY_FUZZ_SECONDS` says.
#[cfg(test)]
pub fn break_each(examples: &[&[u8]], check: impl Fn(&[u8])) {
    let seconds = std::env::var("VOLLEY_FUZZ_SECONDS").ok().and_then(|text| text.parse::<u64>().ok());
    let begun = std::time::Instant::now();
    let mut state: u64 = seconds.map_or(0x9e37_79b9_7f4a_7c15, |_| std::process::id().into());
    let mut random = move |below: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) as usize % below.max(1)
    };
    examples.iter().for_each(|example| check(example));
    let mut count = 0u64;
    while seconds.map_or(count < 3000, |seconds| begun.elapsed().as_secs() < seconds) {
        count += 1;
        let mut data = examples[random(examples.len())].to_vec();
        for _ in 0..=random(8) {
            let at = random(data.len() + 1);
            match random(7) {
                0 if at < data.len() => data[at] = random(256) as u8,
                1 if at < data.len() => data[at] ^= 1 << random(8),
                2 => data.truncate(at),
                3 => data.insert(at, b"\r\n\0 ;,=:.#|@*?!\\\"'(){}[]/%&<>~09azAZ\xc3\xff"[random(38)]),
                4 if at < data.len() => _ = data.remove(at),
                5 => {
                    // A piece of another example.
                    let other = examples[random(examples.len())];
                    let from = random(other.len() + 1);
                    let to = from + random(other.len() - from + 1);
                    data.splice(at..at, other[from..to].iter().copied());
                }
                _ => {
                    let to = at + random((data.len() - at).min(16) + 1);
                    let piece = data[at..to].repeat(1 + random(4));
                    data.splice(at..to, piece);
                }
            }
        }
        data.truncate(64 * 1024);
        check(&data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_duration_is_read_or_refused() {
        break_each(
            &[b"1d2h3m4.5s", b"-1.5h10ms7us3\xc2\xb5s1ns", b"9223372036854775807ns", b"106751d23h47m16s", b".5s", b"0"],
            duration,
        );
    }
}
