//! When the frames of each stream of an HTTP/2 connection arrived.
//!
//! Who waits for a stream has its turn some time after the `h2` crate has read for it, and something newer may have been read by then. So
//! the heads of frames are read here as well, beside the crate (RFC 9113, section 4.1).

use std::time::Instant;

use rustc_hash::FxHashMap;

/// The bytes of a frame before its payload.
const HEAD: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

/// When the response of one stream arrived, as far as it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamArrivals {
    /// The end of the first frame: with the head, or the reset.
    pub first: Instant,
    /// The end of the last frame so far.
    pub last: Instant,
}

/// Follows what a server sends over one connection.
#[derive(Debug, Default)]
pub struct FrameArrivals {
    head: [u8; HEAD],
    /// How much of the present frame's head has arrived.
    head_bytes: usize,
    /// What is missing of its payload.
    missing: usize,
    streams: FxHashMap<u32, StreamArrivals>,
    /// When the server said that it takes no more streams.
    goaway: Option<Instant>,
}

impl FrameArrivals {
    /// The next bytes of the server, which arrived at `at`.
    pub fn read(&mut self, mut bytes: &[u8], at: Instant) {
        while !bytes.is_empty() {
            if self.head_bytes < HEAD {
                let part;
                (part, bytes) = bytes.split_at(bytes.len().min(HEAD - self.head_bytes));
                self.head[self.head_bytes..][..part.len()].copy_from_slice(part);
                self.head_bytes += part.len();
                if self.head_bytes < HEAD {
                    return;
                }
                let [high, middle, low, ..] = self.head;
                self.missing = u32::from_be_bytes([0, high, middle, low]) as usize;
            }
            let arrived = bytes.len().min(self.missing);
            bytes = &bytes[arrived..];
            self.missing -= arrived;
            if self.missing == 0 {
                self.head_bytes = 0;
                self.ends(at);
            }
        }
    }

    /// The present frame is complete.
    fn ends(&mut self, at: Instant) {
        let [_, _, _, kind, _, stream @ ..] = self.head;
        match kind {
            DATA | HEADERS | RST_STREAM | CONTINUATION => {
                // The highest bit is reserved.
                let stream = u32::from_be_bytes(stream) & !(1 << 31);
                self.streams.entry(stream).or_insert(StreamArrivals { first: at, last: at }).last = at;
            }
            GOAWAY => self.goaway = Some(at),
            _ => {}
        }
    }

    /// What has arrived of a stream, unless it was [forgotten](Self::forget).
    pub fn of(&self, stream: u32) -> Option<StreamArrivals> {
        self.streams.get(&stream).copied()
    }

    /// When the server said that it takes no more streams.
    pub fn goaway(&self) -> Option<Instant> {
        self.goaway
    }

    /// Nobody asks for a stream any more.
    pub fn forget(&mut self, stream: u32) {
        self.streams.remove(&stream);
    }

    /// Nobody asks for any of the streams so far.
    pub fn forget_all(&mut self) {
        self.streams.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn frame(kind: u8, stream: u32, length: usize) -> Vec<u8> {
        let mut frame = (length as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, 0]);
        frame.extend(stream.to_be_bytes());
        frame.resize(HEAD + length, 0xff);
        frame
    }

    /// Reads `frames` in pieces of `piece` bytes, one a millisecond; `expect` has, for each stream, when it began and when it ended.
    fn check(frames: &[Vec<u8>], piece: usize, expect: &[(u32, Option<[u64; 2]>)]) {
        let zero = Instant::now();
        let at = |ms: u64| zero + Duration::from_millis(ms);
        let mut arrivals = FrameArrivals::default();
        for (ms, bytes) in (0..).zip(frames.concat().chunks(piece)) {
            arrivals.read(bytes, at(ms));
        }
        for (stream, expect) in expect {
            let expect = expect.map(|[first, last]| StreamArrivals { first: at(first), last: at(last) });
            assert_eq!(arrivals.of(*stream), expect, "stream {stream} in pieces of {piece}");
        }
    }

    #[test]
    fn each_stream_has_its_own_times() {
        const WINDOW_UPDATE: u8 = 8;
        const SETTINGS: u8 = 4;
        let frames = [
            frame(SETTINGS, 0, 6),
            frame(HEADERS, 1, 11),
            frame(HEADERS, 3 | 1 << 31, 1),
            frame(DATA, 1, 21),
            frame(WINDOW_UPDATE, 1, 4),
            frame(DATA, 3, 0),
            frame(RST_STREAM, 5, 4),
        ];
        // Ends of frames: 15, 35, 45, 75, 88, 97, 110.
        check(&frames, 1, &[(1, Some([34, 74])), (3, Some([44, 96])), (5, Some([109, 109])), (7, None), (0, None)]);
        check(&frames, 10, &[(1, Some([3, 7])), (3, Some([4, 9])), (5, Some([10, 10]))]);
        check(&frames, 1000, &[(1, Some([0, 0])), (3, Some([0, 0])), (5, Some([0, 0]))]);
    }

    #[test]
    fn what_is_forgotten_is_gone() {
        let (now, mut arrivals) = (Instant::now(), FrameArrivals::default());
        for stream in [1, 3, 5] {
            arrivals.read(&frame(HEADERS, stream, 2), now);
        }
        arrivals.forget(3);
        assert_eq!([1, 3, 5].map(|stream| arrivals.of(stream).is_some()), [true, false, true]);
        arrivals.forget_all();
        assert_eq!(arrivals.of(1), None);
        assert_eq!(arrivals.goaway(), None);
        arrivals.read(&frame(GOAWAY, 0, 8), now);
        assert_eq!(arrivals.goaway(), Some(now));
    }
}
