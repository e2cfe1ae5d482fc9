//! A file that many VUs hold, once in memory: each may map it privately, and no other sees what it writes.
//!
//! For small files, and where the system refuses, there is nothing to map and callers copy. Knows nothing of scripts.

use std::fmt;

use bytes::Bytes;
use mapping::{Memory, PrivateMap};

/// Below this a copy is cheaper than a mapping.
const WORTH_SHARING: usize = 64 * 1024;

/// The bytes of a file, and memory that others can map.
pub struct SharedBytes {
    bytes: Bytes,
    memory: Option<Memory>,
}

impl fmt::Debug for SharedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes.len())
    }
}

impl SharedBytes {
    /// Moves `bytes` to where they can be mapped, if that is worth it.
    pub fn new(bytes: Bytes) -> Self {
        let moved = if bytes.len() < WORTH_SHARING { None } else { Memory::with(&bytes).ok() };
        match moved {
            Some((memory, bytes)) => Self { bytes, memory: Some(memory) },
            None => Self { bytes, memory: None },
        }
    }

    /// The bytes. Clones share them.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// A mapping of one's own that may be written to; `None` where one has to copy.
    pub fn private(&self) -> Option<PrivateMapping> {
        let map = self.memory.as_ref()?.private(self.bytes.len()).ok()?;
        Some(PrivateMapping { map, bytes: self.bytes.clone() })
    }
}

/// A file mapped privately: it costs no memory until it is read or written, and what is written is this mapping's alone.
pub struct PrivateMapping {
    map: PrivateMap,
    bytes: Bytes,
}

impl PrivateMapping {
    /// Its address. A writer must be the only user of this mapping.
    pub fn address(&self) -> *mut u8 {
        self.map.address()
    }

    /// Its current bytes: the file's own while nothing was written, else a copy.
    pub fn bytes(&self) -> Bytes {
        if self.map.was_written() {
            return Bytes::copy_from_slice(self.map.as_ref());
        }
        self.bytes.clone()
    }
}
mod mapping {
    use std::fs::File;
    use std::io::{self, Write};
    use std::os::fd::{AsRawFd, FromRawFd};
    use std::os::unix::fs::FileExt;
    use std::ptr::{self, NonNull};
    use std::sync::LazyLock;

    use bytes::Bytes;

    /// An anonymous file in memory.
    pub(super) struct Memory(File);

    impl Memory {
        /// A copy of `bytes`, and a view of it to take their place.
        pub(super) fn with(bytes: &[u8]) -> io::Result<(Self, Bytes)> {
            // SAFETY: the name is a C string, and the answer is checked.
            let fd = unsafe { libc::memfd_create(c"volley-file".as_ptr(), libc::MFD_CLOEXEC) };
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: the descriptor is new, so it is ours alone.
            let mut file = unsafe { File::from_raw_fd(fd) };
            file.write_all(bytes)?;
            let view = map(&file, bytes.len(), libc::PROT_READ, libc::MAP_SHARED)?;
            Ok((Self(file), Bytes::from_owner(view)))
        }

        pub(super) fn private(&self, length: usize) -> io::Result<PrivateMap> {
            let flags = libc::MAP_PRIVATE | libc::MAP_NORESERVE;
            map(&self.0, length, libc::PROT_READ | libc::PROT_WRITE, flags).map(PrivateMap)
        }
    }

    fn map(file: &File, length: usize, protection: i32, flags: i32) -> io::Result<Map> {
        // SAFETY: a new mapping at an address of the kernel's choice touches nothing that exists.
        let address = unsafe { libc::mmap(ptr::null_mut(), length, protection, flags, file.as_raw_fd(), 0) };
        if address == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let address = NonNull::new(address.cast::<u8>()).ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
        Ok(Map { address, length })
    }

    /// Mapped memory, for as long as this lives.
    struct Map {
        address: NonNull<u8>,
        length: usize,
    }

    // SAFETY: the memory belongs to the mapping, not to a thread; shared ones are only read, since the file behind them is
    // written before they are made and never after.
    unsafe impl Send for Map {}
    // SAFETY: as above.
    unsafe impl Sync for Map {}

    impl AsRef<[u8]> for Map {
        fn as_ref(&self) -> &[u8] {
            // SAFETY: mapped for as long as `self` lives, and the file never shrinks.
            unsafe { std::slice::from_raw_parts(self.address.as_ptr(), self.length) }
        }
    }

    impl Drop for Map {
        fn drop(&mut self) {
            // SAFETY: exactly what `mmap` gave, once.
            unsafe { libc::munmap(self.address.as_ptr().cast(), self.length) };
        }
    }

    /// A copy-on-write mapping.
    pub(super) struct PrivateMap(Map);

    impl AsRef<[u8]> for PrivateMap {
        fn as_ref(&self) -> &[u8] {
            self.0.as_ref()
        }
    }

    impl PrivateMap {
        pub(super) fn address(&self) -> *mut u8 {
            self.0.address.as_ptr()
        }

        /// True if a page was written to, or if that is unknown. The kernel knows: a written page is no longer the
        /// file's.
        pub(super) fn was_written(&self) -> bool {
            // Bits of an entry of `/proc/self/pagemap`.
            const PRESENT: u64 = 1 << 63;
            const SWAPPED: u64 = 1 << 62;
            const OF_FILE: u64 = 1 << 61;
            // Pages per read.
            const PAGES_PER_READ: usize = 1024;
            static PAGES: LazyLock<Option<File>> = LazyLock::new(|| File::open("/proc/self/pagemap").ok());
            let Some(pages) = &*PAGES else { return true };
            // SAFETY: takes a number, gives a number.
            let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
            let first = self.0.address.as_ptr() as usize / page;
            let count = self.0.length.div_ceil(page);
            let mut entries = [0; PAGES_PER_READ * 8];
            for at in (0..count).step_by(PAGES_PER_READ) {
                let part = &mut entries[..(count - at).min(PAGES_PER_READ) * 8];
                if pages.read_exact_at(part, ((first + at) * 8) as u64).is_err() {
                    return true;
                }
                let written = part.chunks_exact(8).any(|entry| {
                    let entry = entry.try_into().map_or(0, u64::from_ne_bytes);
                    entry & (PRESENT | SWAPPED) != 0 && entry & OF_FILE == 0
                });
                if written {
                    return true;
                }
            }
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_writes_no_other_sees() {
        let plain: Vec<u8> = (0..5_000_000u32).map(|at| at as u8).collect();
        let shared = SharedBytes::new(plain.clone().into());
        assert_eq!(shared.bytes(), &plain);
        let (one, other) = (shared.private().unwrap(), shared.private().unwrap());
        for private in [&one, &other] {
            assert_eq!(private.bytes().as_ptr(), shared.bytes().as_ptr(), "nothing was written or copied");
        }
        // SAFETY: the mapping is this test's, and the place is inside.
        unsafe { other.address().add(4_321_000).read_volatile() };
        assert_eq!(other.bytes().as_ptr(), shared.bytes().as_ptr(), "reading is not writing");
        // SAFETY: as above.
        unsafe { one.address().add(4_321_000).write(0xff) };
        let mut expect = plain.clone();
        expect[4_321_000] = 0xff;
        assert_eq!(one.bytes(), expect);
        assert_eq!((other.bytes(), shared.bytes()), (plain.clone().into(), &Bytes::from(plain)));
    }

    #[test]
    fn small_files_are_not_mapped() {
        let shared = SharedBytes::new("small".into());
        assert!(shared.private().is_none());
        assert_eq!(shared.bytes(), "small");
    }
}
