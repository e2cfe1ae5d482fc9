//! `memcpy`, `memmove`, `memcmp` and `bcmp` of the static program for x86-64. Those of musl begin each copy with a slow
//! instruction and compare byte by byte: measured, a tenth of what a request with a JSON body costs. musl takes these instead,
//! since the linker looks into its library last.
//!
//! All lengths that a request is made of (up to 128 bytes) are read whole before anything is written, so copies may overlap.

use core::arch::asm;
use core::arch::x86_64::{__m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_storeu_si128};

/// Bytes of a register.
const LANE: usize = size_of::<__m128i>();
/// Bytes that a turn of a loop copies.
const TURN: usize = 4 * LANE;
/// What is in as many registers; an array would be put on the stack.
type Lanes = (__m128i, __m128i, __m128i, __m128i);
/// From here on the instruction that copies is faster than a loop: what it takes to begin no longer counts.
const LONG: usize = 2048;

/// # Safety
/// `from` is the address of a lane's bytes.
#[inline(always)]
unsafe fn load(from: *const u8) -> __m128i {
    // SAFETY: the caller's; any alignment will do.
    unsafe { _mm_loadu_si128(from.cast()) }
}

/// # Safety
/// `to` is the address of a lane's bytes.
#[inline(always)]
unsafe fn store(to: *mut u8, lane: __m128i) {
    // SAFETY: the caller's; any alignment will do.
    unsafe { _mm_storeu_si128(to.cast(), lane) }
}

/// # Safety
/// `from` is the address of a turn's bytes.
#[inline(always)]
unsafe fn load_turn(from: *const u8) -> Lanes {
    // SAFETY: the caller's.
    unsafe { (load(from), load(from.add(LANE)), load(from.add(2 * LANE)), load(from.add(3 * LANE))) }
}

/// # Safety
/// `to` is the address of a turn's bytes.
#[inline(always)]
unsafe fn store_turn(to: *mut u8, lanes: Lanes) {
    // SAFETY: the caller's.
    unsafe {
        store(to, lanes.0);
        store(to.add(LANE), lanes.1);
        store(to.add(2 * LANE), lanes.2);
        store(to.add(3 * LANE), lanes.3);
    }
}

/// The first and the last `T` of so many bytes, which are at least one `T` and at most two.
///
/// # Safety
/// As [`copy`].
#[inline(always)]
unsafe fn copy_two<T: Copy>(to: *mut u8, from: *const u8, len: usize) {
    let last = len - size_of::<T>();
    // SAFETY: both are inside of `len` bytes.
    unsafe {
        let (head, tail) = (from.cast::<T>().read_unaligned(), from.add(last).cast::<T>().read_unaligned());
        to.cast::<T>().write_unaligned(head);
        to.add(last).cast::<T>().write_unaligned(tail);
    }
}

/// Copies bytes; the two places may overlap.
///
/// # Safety
/// `from` is the address of `len` bytes that may be read, `to` of as many that may be written.
#[inline(always)]
unsafe fn copy(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: every address is inside of `len` bytes.
    unsafe {
        if len < LANE {
            match len {
                8.. => copy_two::<u64>(to, from, len),
                4.. => copy_two::<u32>(to, from, len),
                2.. => copy_two::<u16>(to, from, len),
                1 => to.write(from.read()),
                0 => {}
            }
        } else if len <= 2 * LANE {
            let (head, tail) = (load(from), load(from.add(len - LANE)));
            store(to, head);
            store(to.add(len - LANE), tail);
        } else if len <= TURN {
            let end = len - 2 * LANE;
            let lanes = (load(from), load(from.add(LANE)), load(from.add(end)), load(from.add(end + LANE)));
            store(to, lanes.0);
            store(to.add(LANE), lanes.1);
            store(to.add(end), lanes.2);
            store(to.add(end + LANE), lanes.3);
        } else if len <= 2 * TURN {
            let (head, tail) = (load_turn(from), load_turn(from.add(len - TURN)));
            store_turn(to, head);
            store_turn(to.add(len - TURN), tail);
        } else {
            copy_many(to, from, len);
        }
    }
}

/// [`copy`] of more than 128 bytes.
///
/// # Safety
/// As [`copy`].
unsafe fn copy_many(to: *mut u8, from: *const u8, len: usize) {
    let ahead = to.addr().wrapping_sub(from.addr());
    // SAFETY: as the caller says.
    unsafe {
        if ahead < len {
            copy_backwards(to, from, len);
        } else if len >= LONG && ahead.wrapping_neg() >= len {
            copy_long(to, from, len);
        } else {
            copy_forwards(to, from, len);
        }
    }
}

/// Copies from the first byte on, with writes that are aligned. What the first write would cover of the source is read before.
///
/// # Safety
/// As [`copy`], of more than 128 bytes, and `to` is not inside of the source.
unsafe fn copy_forwards(to: *mut u8, from: *const u8, len: usize) {
    let last = len - TURN;
    // SAFETY: every address is inside of `len` bytes; what is read is not written before.
    unsafe {
        let head = load(from);
        let tail = load_turn(from.add(last));
        let mut at = LANE - to.addr() % LANE;
        while at < last {
            store_turn(to.add(at), load_turn(from.add(at)));
            at += TURN;
            // Else the compiler may find that the loop copies memory, and call the function it is part of.
            asm!("", options(nostack, preserves_flags));
        }
        store_turn(to.add(last), tail);
        store(to, head);
    }
}

/// Copies from the last byte on.
///
/// # Safety
/// As [`copy`], of more than 128 bytes.
unsafe fn copy_backwards(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: every address is inside of `len` bytes; what is read is not written before.
    unsafe {
        let head = load_turn(from);
        let tail = load(from.add(len - LANE));
        let mut end = len - (to.addr() + len) % LANE;
        while end > TURN {
            end -= TURN;
            store_turn(to.add(end), load_turn(from.add(end)));
            // As in `copy_forwards`.
            asm!("", options(nostack, preserves_flags));
        }
        store_turn(to, head);
        store(to.add(len - LANE), tail);
    }
}

/// Copies with the processor's own instruction, eight bytes at a time.
///
/// # Safety
/// As [`copy`], of at least eight bytes, and the places do not overlap.
unsafe fn copy_long(to: *mut u8, from: *const u8, len: usize) {
    // SAFETY: the instruction reads and writes whole words inside of `len` bytes, the last word covers the rest.
    unsafe {
        let tail = from.add(len - 8).cast::<u64>().read_unaligned();
        asm!(
            "rep movsq",
            inout("rcx") len / 8 => _,
            inout("rdi") to => _,
            inout("rsi") from => _,
            options(nostack, preserves_flags),
        );
        to.add(len - 8).cast::<u64>().write_unaligned(tail);
    }
}

/// Less than 0, 0 or more than 0, as the first byte that differs.
///
/// # Safety
/// Both are addresses of `len` bytes that may be read.
#[inline(always)]
unsafe fn compare(left: *const u8, right: *const u8, len: usize) -> i32 {
    // SAFETY: every address is inside of `len` bytes.
    unsafe {
        match len {
            0 => 0,
            1..4 => compare_few(left, right, len),
            4..8 => compare_words(u64::from(word32(left)), u64::from(word32(right)))
                .unwrap_or_else(|| compare_last(word32(left.add(len - 4)).into(), word32(right.add(len - 4)).into())),
            8..16 => compare_words(word64(left), word64(right))
                .unwrap_or_else(|| compare_last(word64(left.add(len - 8)), word64(right.add(len - 8)))),
            _ => {
                let mut at = 0;
                while at + LANE < len {
                    if let Some(order) = compare_lanes(left.add(at), right.add(at)) {
                        return order;
                    }
                    at += LANE;
                }
                compare_lanes(left.add(len - LANE), right.add(len - LANE)).unwrap_or(0)
            }
        }
    }
}

/// # Safety
/// As [`compare`].
#[inline(always)]
unsafe fn compare_few(left: *const u8, right: *const u8, len: usize) -> i32 {
    // SAFETY: `len` is 1, 2 or 3: the first, the middle and the last byte are all there are.
    unsafe {
        let number = |of: *const u8| {
            let [first, middle, last] = [0, len / 2, len - 1].map(|at| u32::from(of.add(at).read()));
            first << 16 | middle << 8 | last
        };
        number(left).cast_signed() - number(right).cast_signed()
    }
}

#[inline(always)]
fn compare_words(left: u64, right: u64) -> Option<i32> {
    (left != right).then_some(if left < right { -1 } else { 1 })
}

#[inline(always)]
fn compare_last(left: u64, right: u64) -> i32 {
    compare_words(left, right).unwrap_or(0)
}

/// # Safety
/// Four bytes are there.
#[inline(always)]
unsafe fn word32(at: *const u8) -> u32 {
    // SAFETY: the caller's.
    u32::from_be(unsafe { at.cast::<u32>().read_unaligned() })
}

/// # Safety
/// Eight bytes are there.
#[inline(always)]
unsafe fn word64(at: *const u8) -> u64 {
    // SAFETY: the caller's.
    u64::from_be(unsafe { at.cast::<u64>().read_unaligned() })
}

/// # Safety
/// A lane's bytes are at both.
#[inline(always)]
unsafe fn compare_lanes(left: *const u8, right: *const u8) -> Option<i32> {
    // SAFETY: the caller's; the byte that differs is one of them.
    unsafe {
        let same = _mm_movemask_epi8(_mm_cmpeq_epi8(load(left), load(right)));
        (same != 0xffff).then(|| {
            let at = (!same).trailing_zeros() as usize;
            i32::from(left.add(at).read()) - i32::from(right.add(at).read())
        })
    }
}

/// The names that the linker looks for. A program that is not optimised would call them from themselves.
#[cfg(all(target_env = "musl", not(debug_assertions)))]
mod names {
    /// # Safety
    /// As C has it.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
        // SAFETY: the caller's.
        unsafe { super::copy(to, from, len) };
        to
    }

    /// # Safety
    /// As C has it.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
        // SAFETY: the caller's.
        unsafe { super::copy(to, from, len) };
        to
    }

    /// # Safety
    /// As C has it.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcmp(left: *const u8, right: *const u8, len: usize) -> i32 {
        // SAFETY: the caller's.
        unsafe { super::compare(left, right, len) }
    }

    /// # Safety
    /// As C has it.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn bcmp(left: *const u8, right: *const u8, len: usize) -> i32 {
        // SAFETY: the caller's.
        unsafe { super::compare(left, right, len) }
    }
}

#[cfg(test)]
mod tests {
    use super::{LONG, compare, copy};

    /// Bytes that are all unlike their neighbours.
    fn bytes(count: usize) -> Vec<u8> {
        (0..count).map(|at| (at * 31 + at / 251) as u8).collect()
    }

    /// A copy inside of one block, beside what the standard library makes of it.
    fn check_copy(len: usize, from: usize, to: usize) {
        let mut block = bytes(len + from.max(to) + 40);
        let mut expected = block.clone();
        expected.copy_within(from..from + len, to);
        let start = block.as_mut_ptr();
        // SAFETY: both places are inside of the block.
        unsafe { copy(start.add(to), start.add(from), len) };
        assert!(block == expected, "{len} bytes from {from} to {to}");
    }

    #[test]
    fn copies_are_right_at_every_length_and_overlap() {
        for len in (0..420).chain([LONG - 1, LONG, LONG + 1, LONG + 63, 5000]) {
            let edges = [0, 1, 7, 15, 16, 17, 63, 64, 65, len, len + 16, len + 33];
            for from in edges {
                for to in edges {
                    check_copy(len, from, to);
                }
            }
        }
    }

    #[test]
    fn the_first_byte_that_differs_decides() {
        for len in 0..150 {
            for start in [0, 1, 9] {
                let (left, mut right) = (bytes(start + len), bytes(start + len));
                // SAFETY: `len` bytes are there.
                let order = |right: &[u8]| unsafe { compare(left.as_ptr().add(start), right.as_ptr().add(start), len) };
                assert_eq!(order(&right), 0, "{len} bytes");
                for at in 0..len {
                    // What comes after says the contrary.
                    for (change, later) in [(1u8, 255u8), (255, 1), (128, 127)] {
                        right[start + at] = left[start + at].wrapping_add(change);
                        if at + 1 < len {
                            right[start + at + 1] = left[start + at + 1].wrapping_add(later);
                        }
                        let expected = left[start..].cmp(&right[start..]) as i32;
                        assert_eq!(order(&right).signum(), expected, "{len} bytes that differ at {at}");
                        right.copy_from_slice(&left);
                    }
                }
            }
        }
    }
}
