//! `randomSeed`: repeatable `Math.random`.

use std::cell::RefCell;

use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value};

/// The generator of a VU that was seeded: xoshiro256++ (Blackman and Vigna, public domain).
#[derive(Default)]
struct Generator(RefCell<[u64; 4]>);

pub(super) fn seed(vu: &VuContext, args: Args) -> Result<Value, Throw> {
    // SplitMix64 spreads the seed over the state, as the authors of xoshiro advise.
    let mut state = args.number(0) as i64 as u64;
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    *vu.module_state::<Generator>().0.borrow_mut() = [next(), next(), next(), next()];
    Ok(Value::Undefined)
}

pub(super) fn random(vu: &VuContext, _args: Args) -> Result<Value, Throw> {
    let room = vu.module_state::<Generator>();
    let mut s = room.0.borrow_mut();
    let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
    let t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = s[3].rotate_left(45);
    Ok(Value::Number((result >> 11) as f64 / (1u64 << 53) as f64))
}
