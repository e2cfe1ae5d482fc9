//! The allocator: mimalloc. Many small allocations from many threads: measured, it is what makes a VU's memory and the cost of a
//! request small.

use std::alloc::{GlobalAlloc, Layout};

use libmimalloc_sys as mi;

/// mimalloc, asked for an alignment only where one is needed that it does not give anyway: it looks for a place that fits, which
/// costs as much as the allocation.
#[derive(Debug)]
pub struct Allocator;

/// Every block has this alignment.
const ALIGNED_ANYWAY: usize = 8;

// SAFETY: mimalloc keeps what the trait asks for: blocks of at least that size, at that alignment, that nobody else has.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: every size is allowed, and a layout's alignment is a power of two.
        unsafe {
            match layout.align() <= ALIGNED_ANYWAY {
                true => mi::mi_malloc(layout.size()).cast(),
                false => mi::mi_malloc_aligned(layout.size(), layout.align()).cast(),
            }
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe {
            match layout.align() <= ALIGNED_ANYWAY {
                true => mi::mi_zalloc(layout.size()).cast(),
                false => mi::mi_zalloc_aligned(layout.size(), layout.align()).cast(),
            }
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: the block came from here and is given back once.
        unsafe { mi::mi_free(block.cast()) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the block came from here.
        unsafe {
            match layout.align() <= ALIGNED_ANYWAY {
                true => mi::mi_realloc(block.cast(), size).cast(),
                false => mi::mi_realloc_aligned(block.cast(), size, layout.align()).cast(),
            }
        }
    }
}
