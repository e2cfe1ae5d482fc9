//! A few accounts, the public demo account among them, and one token for each per start of the target.
//!
//! Every login to an account gets the same token: a login storm costs no memory, and nothing here protects anything of
//! worth.

use std::hash::{BuildHasher, Hasher, RandomState};

use axum::http::{HeaderMap, header};

use super::api_error::ApiError;
use super::config::Account;

/// The e-mail address of the demo account.
pub const DEMO_EMAIL: &str = "admin@demo.local";
/// The password of the demo account. It is documented, so it is no secret.
pub const DEMO_PASSWORD: &str = "demo-password";

/// The tokens this process accepts, with whose they are.
pub(super) struct Sessions {
    tokens: Vec<(String, Account)>,
}

/// What a login sends. A field that is missing is an empty one: both are the wrong password.
#[derive(serde::Deserialize)]
pub(super) struct LoginRequest {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
}

impl Sessions {
    /// Makes up tokens, different after each start.
    pub(super) fn open(accounts: &[Account]) -> Self {
        let part = || RandomState::new().build_hasher().finish();
        let token = || format!("demo-{:016x}{:016x}", part(), part());
        Self { tokens: accounts.iter().map(|account| (token(), account.clone())).collect() }
    }

    /// Hands out the token of an account, by e-mail address and password.
    pub(super) fn login(&self, credentials: &LoginRequest) -> Result<(&str, &Account), ApiError> {
        let fits = |account: &Account| {
            account.email.eq_ignore_ascii_case(&credentials.email) && account.password == credentials.password
        };
        let found = self.tokens.iter().find(|(_, account)| fits(account));
        let found = found.ok_or_else(|| ApiError::unauthorized("wrong email or password"))?;
        Ok((&found.0, &found.1))
    }

    /// Whose request with `Authorization: Bearer <token>` it is.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<&Account, ApiError> {
        let Some(value) = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
            return Err(ApiError::unauthorized("a token is needed: `Authorization: Bearer <token>` from /auth/login"));
        };
        let token = match value.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => return Err(ApiError::unauthorized("expected `Authorization: Bearer <token>`")),
        };
        let known = self.tokens.iter().find(|(known, _)| known == token);
        let unknown = || ApiError::unauthorized("this token is not known; log in again");
        known.map(|(_, account)| account).ok_or_else(unknown)
    }

    /// The first account: whose request without a token is, where none is needed.
    pub(super) fn first(&self) -> Option<&Account> {
        self.tokens.first().map(|(_, account)| account)
    }
}
