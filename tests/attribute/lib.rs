//! `#[test]` for a binary with a harness of its own: the function registers itself with `crate::harness`, under its path.

extern crate proc_macro;

use proc_macro::{TokenStream, TokenTree};

/// Registers a function without arguments and without a result as a test.
#[proc_macro_attribute]
pub fn test(_: TokenStream, item: TokenStream) -> TokenStream {
    let mut words = item.clone().into_iter().skip_while(|word| word.to_string() != "fn").skip(1);
    let Some(TokenTree::Ident(name)) = words.next() else { panic!("a test is a function") };
    let registration =
        format!("::inventory::submit! {{ crate::harness::Case::new(module_path!(), \"{name}\", {name}) }}");
    let registration: TokenStream = registration.parse().expect("it is Rust");
    item.into_iter().chain(registration).collect()
}
