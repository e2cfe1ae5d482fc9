//! Buffers that were used before, kept for the next who needs one.

use std::cell::RefCell;

/// Spare buffers of one thread, the last used on top: it is in the processor's cache still.
#[derive(Debug)]
pub struct SpareBuffers {
    buffers: RefCell<Vec<Vec<u8>>>,
    max_bytes: usize,
    max_count: usize,
}

impl SpareBuffers {
    /// None yet; at most `max_count` will be kept, and none with room for more than `max_bytes`.
    pub const fn new(max_bytes: usize, max_count: usize) -> Self {
        Self { buffers: RefCell::new(Vec::new()), max_bytes, max_count }
    }

    /// An empty buffer: one that was used before, or a new one.
    pub fn take(&self) -> Vec<u8> {
        self.buffers.borrow_mut().pop().unwrap_or_default()
    }

    /// Keeps a buffer that is not needed any more.
    pub fn give(&self, mut buffer: Vec<u8>) {
        let mut buffers = self.buffers.borrow_mut();
        if (1..=self.max_bytes).contains(&buffer.capacity()) && buffers.len() < self.max_count {
            buffer.clear();
            buffers.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_is_used_first_and_few_of_no_great_size_are_kept() {
        let spare = SpareBuffers::new(100, 2);
        for (capacity, byte) in [(10, 1), (0, 2), (101, 3), (20, 4), (30, 5)] {
            let mut buffer = Vec::with_capacity(capacity);
            buffer.resize(capacity, byte);
            spare.give(buffer);
        }
        let taken = [(); 3].map(|()| spare.take()).map(|buffer| (buffer.len(), buffer.capacity()));
        assert_eq!(taken, [(0, 20), (0, 10), (0, 0)]);
    }
}
