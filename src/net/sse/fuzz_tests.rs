//! Streams of events that may be anything.

use super::{Parser, SseNext};

/// Events, read in one piece and in small ones.
pub fn events(data: &[u8]) {
    let read = |step: usize| {
        let mut parser = Parser::default();
        data.chunks(step).for_each(|piece| parser.push(piece));
        let found = parser.found.drain(..).map(|next| match next {
            SseNext::Event(event, _) => format!("{event:?}"),
            SseNext::Unknown(text) => text,
            _ => String::new(),
        });
        found.collect::<Vec<_>>()
    };
    let whole = read(usize::MAX);
    for step in [1, 3, 100] {
        assert_eq!(read(step), whole, "in pieces of {step}");
    }
}

#[cfg(test)]
mod tests {
    use crate::units::fuzz_tests::break_each;

    #[test]
    fn broken_streams_are_read() {
        let good: [&[u8]; 2] =
            [b"id: 7\r\nevent: tick\r\ndata: a\r\ndata:b\r\n\r\n: hello\nretry: 5\n\n", b"data: \xc3\xa9\n\nwhat\n"];
        break_each(&good, super::events);
    }
}
