//! One public demo account and one token per start of the target.
//!
//! Every login gets the same token: a login storm costs no memory, and nothing here protects anything of worth.

use std::hash::{BuildHasher, Hasher, RandomState};

use axum::http::{HeaderMap, header};

use super::problem::Problem;

/// The e-mail address of the demo account.
pub const DEMO_EMAIL: &str = "admin@demo.local";
/// The password of the demo account. It is documented, so it is no secret.
pub const DEMO_PASSWORD: &str = "demo-password";

/// The token this process accepts.
pub(super) struct Session {
    token: String,
}

/// What a login sends. A field that is missing is an empty one: both are the wrong password.
#[derive(serde::Deserialize)]
pub(super) struct Credentials {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
}

impl Session {
    /// Makes up a token, different after each start.
    pub(super) fn open() -> Self {
        let part = || RandomState::new().build_hasher().finish();
        Self { token: format!("demo-{:016x}{:016x}", part(), part()) }
    }

    /// Hands out the token to the demo account.
    pub(super) fn login(&self, credentials: &Credentials) -> Result<&str, Problem> {
        if credentials.email == DEMO_EMAIL && credentials.password == DEMO_PASSWORD {
            Ok(&self.token)
        } else {
            Err(Problem::unauthorized("wrong email or password"))
        }
    }

    /// Lets a request with `Authorization: Bearer <token>` pass.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
            return Err(Problem::unauthorized("a token is needed: `Authorization: Bearer <token>` from /auth/login"));
        };
        let token = match value.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => return Err(Problem::unauthorized("expected `Authorization: Bearer <token>`")),
        };
        if token == self.token { Ok(()) } else { Err(Problem::unauthorized("this token is not known; log in again")) }
    }
}
