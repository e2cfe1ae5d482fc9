//! Pages of the book that are made of tables in the code.

use std::path::Path;

/// Asserts that a page of `docs/` is what `text` says; with the variable `VOLLEY_BLESS` it is made so.
pub fn check_page(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    if std::env::var_os("VOLLEY_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let page = std::fs::read_to_string(&path).unwrap();
    let differs = page.lines().zip(text.lines()).find(|(one, other)| one != other);
    assert!(page == text, "docs/{name} is not what the code says (VOLLEY_BLESS=1 writes it anew): {differs:?}");
}
