//! Why an operation of WebCrypto was refused: a name of the standard's list of exceptions, and a text.

use crate::js::value::Throw;

/// What a promise of `crypto.subtle` rejects with. JavaScript makes an object with `name` and `message` of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CryptoError {
    /// The standard's name; empty for what k6 says without one.
    pub name: &'static str,
    /// What is wrong.
    pub message: String,
}

macro_rules! named {
    ($($(#[$doc:meta])* $function:ident: $name:literal;)+) => {
        impl CryptoError {
            $($(#[$doc])* pub fn $function(message: impl Into<String>) -> Self {
                Self { name: $name, message: message.into() }
            })+
        }
    };
}

named! {
    /// A key or a ciphertext that is not what it should be.
    data: "DataError";
    /// Something the key may not be used for.
    access: "InvalidAccessError";
    /// What k6 itself does not do.
    implementation: "ImplementationError";
    /// The operation failed, or one of its numbers makes no sense.
    operation: "OperationError";
    /// A member of an algorithm is missing or of another kind, or a usage is not the algorithm's.
    syntax: "SyntaxError";
    /// Something else than a key.
    kind: "TypeError";
    /// An algorithm, a format or a number that is not supported here.
    unsupported: "NotSupportedError";
}

impl From<CryptoError> for Throw {
    fn from(refusal: CryptoError) -> Self {
        let CryptoError { name, message } = refusal;
        Self::Host { message: if name.is_empty() { message } else { format!("{name}: {message}") } }
    }
}
