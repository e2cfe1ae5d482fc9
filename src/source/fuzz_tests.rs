//! What must hold for any archive and for import specifiers. Entered here with broken examples, and by the targets of
//! `tests/fuzz` with what libFuzzer thinks of.

use bytes::Bytes;

use super::archive::{Archive, is_tar};
use super::specifier::{self, Resolved};

/// An archive: its files are pieces of it and have names of files, or it is refused in words.
pub fn archive(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    let is_tar = is_tar(data);
    match Archive::read(&bytes) {
        Ok(archive) => {
            assert!(is_tar);
            for (name, file) in archive.local_files().chain(archive.remote_files()) {
                assert!(file.len() <= data.len() && name.starts_with(['/', 'h']));
            }
        }
        Err(text) => assert!(!text.is_empty()),
    }
}

/// A specifier, a zero byte, and where it is written: it leads to an address that leads to itself.
pub fn specifier(data: &[u8]) {
    let at = memchr::memchr(0, data).unwrap_or(data.len());
    let text = String::from_utf8_lossy(&data[..at]);
    let referrer = String::from_utf8_lossy(data.get(at + 1..).unwrap_or_default());
    let base = if referrer.starts_with("https://") { referrer } else { format!("file:///{referrer}").into() };
    if let Ok(Resolved::Url(url)) = specifier::resolve(&text, &base) {
        _ = (specifier::directory(&url), specifier::file_path(&url), specifier::beside(&url, &text));
        assert!(url.starts_with("file:") || url.starts_with("https:"), "{url}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::archive::ArchiveContents;
    use crate::units::fuzz_tests::break_each;

    #[test]
    fn any_archive_is_read_or_refused() {
        let contents = ArchiveContents {
            options: serde_json::Map::new(),
            filename: "file:///a.js".to_owned(),
            pwd: "file:///".to_owned(),
            env: None,
            compatibility_mode: "base".to_owned(),
            time: 0,
        };
        let files = [
            ("file:///a.js".to_owned(), Bytes::from_static(b"export default () => {}")),
            (format!("file:///{}/x.js", "d".repeat(120)), Bytes::from_static(b"deep")),
            ("https://h.test/l.js".to_owned(), Bytes::from_static(b"lib")),
        ];
        let packed = contents.pack(&files).unwrap();
        break_each(&[&packed, &packed[..1024], b"no archive"], archive);
    }

    #[test]
    fn any_specifier_leads_somewhere_or_is_refused() {
        break_each(
            &[b"../a//./b.js\0dir/x.js", b"./\xc3\xa9?q#f\0https://u:p@h.test/a?t=1", b"file:///%zz/..\0", b"k6/x\0"],
            specifier,
        );
    }
}
