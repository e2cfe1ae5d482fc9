//! What the verifier of all connections leaves for the handshake under way: it is told nothing but the certificates.

use std::cell::RefCell;

use super::chain::UnverifiedChain;
use super::ocsp::Ocsp;

/// What was seen while a server's certificate was looked at.
#[derive(Debug)]
pub(super) struct Observed {
    /// What was stapled to it.
    pub ocsp: Ocsp,
    /// It is not verified yet: who did the handshake has to do that before anything is sent.
    pub unverified: Option<Box<UnverifiedChain>>,
    /// Who does the handshake can fetch the certificates of issuers.
    can_fetch: bool,
}

tokio::task_local! {
    static OBSERVED: RefCell<Observed>;
}

/// Notes what is stapled to the certificate that is being verified.
pub(super) fn note_stapled(der: &[u8]) {
    if let Some(ocsp) = Some(der).filter(|der| !der.is_empty()).and_then(Ocsp::parse) {
        // Fails outside of a handshake of ours, where it is not needed.
        _ = OBSERVED.try_with(|observed| observed.borrow_mut().ocsp = ocsp);
    }
}

/// Leaves a chain to be verified after the handshake; false when nobody would do that.
#[must_use]
pub(super) fn defer(chain: UnverifiedChain) -> bool {
    let deferred = OBSERVED.try_with(|observed| {
        let mut observed = observed.borrow_mut();
        if observed.can_fetch {
            observed.unverified = Some(Box::new(chain));
        }
        observed.can_fetch
    });
    deferred.unwrap_or_default()
}

/// Runs a handshake; with what was seen. `can_fetch` promises to verify what [`Observed::unverified`] holds.
pub(super) async fn during<T>(handshake: impl Future<Output = T>, can_fetch: bool) -> (T, Observed) {
    let observed = Observed { ocsp: Ocsp::NONE, unverified: None, can_fetch };
    OBSERVED
        .scope(RefCell::new(observed), async {
            let result = handshake.await;
            let seen = OBSERVED.with(|observed| {
                let mut observed = observed.borrow_mut();
                Observed { ocsp: observed.ocsp, unverified: observed.unverified.take(), can_fetch }
            });
            (result, seen)
        })
        .await
}
