//! What a server's stapled OCSP response says about its certificate: `response.ocsp` in k6's words.
//!
//! It is reported, not judged: no signature is checked, no handshake fails because of it, as in k6.

use der::Decode;
use der::asn1::GeneralizedTime;
use x509_ocsp::{BasicOcspResponse, CertStatus, OcspResponse, OcspResponseStatus};

/// What was stapled to a handshake. Times are seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ocsp {
    /// `good`, `revoked`; `unknown` also without a response that can be read.
    pub status: &'static str,
    /// Why it was revoked; empty without a response.
    pub revocation_reason: &'static str,
    /// When the response was made.
    pub produced_at: i64,
    /// Since when it is true.
    pub this_update: i64,
    /// When there will be a newer one.
    pub next_update: i64,
    /// When the certificate was revoked.
    pub revoked_at: i64,
}

/// The year 1, which is Go's time of what never happened.
const NEVER: i64 = -62_135_596_800;

/// k6's words for the reasons, by their numbers.
const REASONS: [&str; 11] = [
    "unspecified",
    "key_compromise",
    "ca_compromise",
    "affiliation_changed",
    "superseded",
    "cessation_of_operation",
    "certificate_hold",
    "",
    "remove_from_crl",
    "privilege_withdrawn",
    "aa_compromise",
];

impl Ocsp {
    /// Nothing was stapled.
    pub const NONE: Self = Self {
        status: "unknown",
        revocation_reason: "",
        produced_at: 0,
        this_update: 0,
        next_update: 0,
        revoked_at: 0,
    };

    /// Reads a response; `None` for what is none, or is about several certificates.
    pub fn parse(der: &[u8]) -> Option<Self> {
        let outer = OcspResponse::from_der(der).ok()?;
        let bytes = outer.response_bytes.filter(|_| outer.response_status == OcspResponseStatus::Successful)?;
        let data = BasicOcspResponse::from_der(bytes.response.as_bytes()).ok()?.tbs_response_data;
        let [single] = &data.responses[..] else { return None };
        let seconds = |time: &GeneralizedTime| time.to_unix_duration().as_secs() as i64;
        // What was not revoked has no reason either, but k6 shows its first word.
        let (status, reason, revoked_at) = match &single.cert_status {
            CertStatus::Good(_) => ("good", 0, NEVER),
            CertStatus::Unknown(_) => ("unknown", 0, NEVER),
            CertStatus::Revoked(info) => {
                let reason = info.revocation_reason.map_or(0, |reason| reason as usize);
                ("revoked", reason, seconds(&info.revocation_time.0))
            }
        };
        Some(Self {
            status,
            revocation_reason: REASONS.get(reason).copied().unwrap_or_default(),
            produced_at: seconds(&data.produced_at.0),
            this_update: seconds(&single.this_update.0),
            next_update: single.next_update.as_ref().map_or(NEVER, |time| seconds(&time.0)),
            revoked_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[u8] = include_bytes!("fixtures/good.der");
    const REVOKED: &[u8] = include_bytes!("fixtures/revoked.der");
    const UNKNOWN: &[u8] = include_bytes!("fixtures/unknown.der");
    /// When OpenSSL made them.
    const MADE: i64 = 1_795_561_067;

    #[test]
    fn answers_of_openssl_are_read() {
        let good = Ocsp {
            status: "good",
            revocation_reason: "unspecified",
            produced_at: MADE,
            this_update: MADE,
            next_update: MADE + 3650 * 86_400,
            revoked_at: NEVER,
        };
        assert_eq!(Ocsp::parse(GOOD), Some(good));
        assert_eq!(Ocsp::parse(UNKNOWN), Some(Ocsp { status: "unknown", ..good }));
        let revoked = Ocsp {
            status: "revoked",
            revocation_reason: "key_compromise",
            next_update: NEVER,
            revoked_at: 1_704_164_645,
            ..good
        };
        assert_eq!(Ocsp::parse(REVOKED), Some(revoked));
    }

    #[test]
    fn broken_answers_are_none() {
        assert_eq!(Ocsp::parse(&[]), None);
        // `tryLater`
        assert_eq!(Ocsp::parse(&[0x30, 3, 0x0a, 1, 3]), None);
        for cut in 0..GOOD.len() {
            assert_eq!(Ocsp::parse(&GOOD[..cut]), None);
        }
    }
}
