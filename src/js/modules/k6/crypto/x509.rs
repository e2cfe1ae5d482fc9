//! `k6/crypto/x509`: a certificate in PEM, as the object k6 makes of it. Nothing is verified.

use std::sync::LazyLock;

use data_encoding::{Encoding, HEXLOWER};
use sha1::Digest;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::signature_algorithm::SignatureAlgorithm;
use x509_parser::x509::X509Name;

use super::super::super::Op;
use super::super::bytes::bytes_of;
use crate::js::modules::cpu_pool;
use crate::js::runtime::VuContext;
use crate::js::value::{Args, Throw, Value, text_of};

/// The native half.
pub const OPS: &[(&str, Op)] = &[("parse", parse)];

/// Texts of more bytes are decoded on the CPU pool.
const OFF_THREAD_LEN: usize = 64 * 1024;

/// `(pem, part)` -> the certificate, or a part of it
fn parse(vu: &VuContext, mut args: Args) -> Result<Value, Throw> {
    let text = bytes_of(args.take(0)).map_err(Throw::go)?;
    let length = text.len();
    let decode = move || der_of(&text);
    let der = if length < OFF_THREAD_LEN { decode() } else { vu.wait(cpu_pool::run(decode))?.flatten() };
    let der = der.ok_or_else(|| Throw::go("failed to decode certificate PEM file"))?;
    let (_, certificate) = X509Certificate::from_der(&der)
        .map_err(|_| Throw::go("failed to parse certificate: x509: malformed certificate"))?;
    match args.string(1).as_str() {
        "altNames" => Ok(alternative_names(&certificate)),
        "issuer" => Ok(name(certificate.issuer(), false)),
        "subject" => Ok(name(certificate.subject(), true)),
        _ => whole(&certificate, &der),
    }
}

/// Everything about a certificate in PEM.
#[cfg(any(test, fuzzing))]
pub(super) fn facts(text: &[u8]) -> Option<Value> {
    let der = der_of(text)?;
    let (_, certificate) = X509Certificate::from_der(&der).ok()?;
    whole(&certificate, &der).ok()
}

/// What the first block of a PEM text holds. Nothing of the text is copied, however long its lines are.
fn der_of(text: &[u8]) -> Option<Vec<u8>> {
    /// Base64, cut into lines as one likes.
    static LINES: LazyLock<Encoding> = LazyLock::new(|| {
        let mut base64 = data_encoding::BASE64.specification();
        base64.ignore.push_str(" \t\r\n");
        base64.encoding().unwrap_or(data_encoding::BASE64)
    });
    let line_at = |mark: &[u8], from: usize| {
        memchr::memmem::find_iter(&text[from..], mark)
            .map(|at| from + at)
            .find(|at| *at == 0 || matches!(text[at - 1], b'\n'))
    };
    let first = line_at(b"-----BEGIN ", 0)?;
    let header = memchr::memchr(b'\n', &text[first..]).map(|length| &text[first..first + length])?;
    memchr::memmem::find(&header[5..], b"-----")?;
    let begin = first + header.len() + 1;
    let end = line_at(b"-----END ", begin)?;
    LINES.decode(&text[begin..end]).ok()
}

fn map<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn whole(certificate: &X509Certificate, der: &[u8]) -> Result<Value, Throw> {
    let time = |seconds: i64| {
        jiff::Timestamp::from_second(seconds).map_or_else(|_| String::new(), |time| time.to_string()).into()
    };
    let validity = certificate.validity();
    let fingerprint = sha1::Sha1::digest(der);
    Ok(map([
        ("subject", name(certificate.subject(), true)),
        ("issuer", name(certificate.issuer(), false)),
        ("notBefore", time(validity.not_before.timestamp())),
        ("notAfter", time(validity.not_after.timestamp())),
        ("altNames", alternative_names(certificate)),
        ("signatureAlgorithm", signature(certificate).into()),
        ("fingerPrint", Value::List(fingerprint.iter().map(|byte| Value::Number(f64::from(*byte))).collect())),
        ("publicKey", public_key(certificate)?),
    ]))
}

/// A distinguished name. Subjects have some fields more.
fn name(name: &X509Name, is_subject: bool) -> Value {
    let attributes: Vec<(String, String)> = name
        .iter_attributes()
        .map(|attribute| {
            let value = attribute.as_str().map_or_else(|_| text_of(attribute.as_slice()), str::to_owned);
            (attribute.attr_type().to_id_string(), value)
        })
        .collect();
    let all = |oid: &'static str| attributes.iter().filter(move |(known, _)| known == oid);
    let first = |oid: &'static str| Value::from(all(oid).next().map_or("", |(_, value)| value.as_str()));
    let mut fields = vec![("commonName", first("2.5.4.3")), ("country", first("2.5.4.6"))];
    if is_subject {
        fields.push(("postalCode", first("2.5.4.17")));
    }
    fields.push(("stateOrProvinceName", first("2.5.4.8")));
    fields.push(("localityName", first("2.5.4.7")));
    if is_subject {
        fields.push(("streetAddress", first("2.5.4.9")));
    }
    fields.push(("organizationName", first("2.5.4.10")));
    if is_subject {
        let units = all("2.5.4.11").map(|(_, value)| value.as_str().into());
        fields.push(("organizationalUnitName", Value::List(units.collect())));
    }
    let names =
        attributes.iter().map(|(oid, value)| map([("type", oid.as_str().into()), ("value", value.as_str().into())]));
    fields.push(("names", Value::List(names.collect())));
    Value::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Alternative names: host names, email addresses, IP addresses and URIs, in this order.
fn alternative_names(certificate: &X509Certificate) -> Value {
    let names = certificate.subject_alternative_name().ok().flatten().map(|extension| &extension.value.general_names);
    let mut kinds: [Vec<Value>; 4] = Default::default();
    for name in names.into_iter().flatten() {
        match name {
            GeneralName::DNSName(name) => kinds[0].push((*name).into()),
            GeneralName::RFC822Name(name) => kinds[1].push((*name).into()),
            GeneralName::IPAddress(address) => {
                let text = match (<[u8; 4]>::try_from(*address), <[u8; 16]>::try_from(*address)) {
                    (Ok(four), _) => std::net::Ipv4Addr::from(four).to_string(),
                    (_, Ok(sixteen)) => std::net::Ipv6Addr::from(sixteen).to_canonical().to_string(),
                    _ => continue,
                };
                kinds[2].push(text.into());
            }
            GeneralName::URI(uri) => kinds[3].push((*uri).into()),
            _ => {}
        }
    }
    Value::List(kinds.into_iter().flatten().collect())
}

/// The algorithm in Go's words.
fn signature(certificate: &X509Certificate) -> &'static str {
    let algorithm = &certificate.signature_algorithm;
    if let Ok(SignatureAlgorithm::RSASSA_PSS(params)) = SignatureAlgorithm::try_from(algorithm) {
        return match params.hash_algorithm_oid().to_id_string().as_str() {
            "2.16.840.1.101.3.4.2.1" => "SHA256-RSAPSS",
            "2.16.840.1.101.3.4.2.2" => "SHA384-RSAPSS",
            "2.16.840.1.101.3.4.2.3" => "SHA512-RSAPSS",
            _ => "UnknownSignatureAlgorithm",
        };
    }
    match algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.2" => "MD2-RSA",
        "1.2.840.113549.1.1.4" => "MD5-RSA",
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => "SHA1-RSA",
        "1.2.840.113549.1.1.11" => "SHA256-RSA",
        "1.2.840.113549.1.1.12" => "SHA384-RSA",
        "1.2.840.113549.1.1.13" => "SHA512-RSA",
        "1.2.840.10040.4.3" => "DSA-SHA1",
        "2.16.840.1.101.3.4.3.2" => "DSA-SHA256",
        "1.2.840.10045.4.1" => "ECDSA-SHA1",
        "1.2.840.10045.4.3.2" => "ECDSA-SHA256",
        "1.2.840.10045.4.3.3" => "ECDSA-SHA384",
        "1.2.840.10045.4.3.4" => "ECDSA-SHA512",
        "1.3.101.112" => "Ed25519",
        _ => "UnknownSignatureAlgorithm",
    }
}

/// A big number as JavaScript's `BigInt` reads it.
fn big(bytes: &[u8]) -> Value {
    format!("0x{}", if bytes.is_empty() { "0".to_owned() } else { HEXLOWER.encode(bytes) }).into()
}

fn public_key(certificate: &X509Certificate) -> Result<Value, Throw> {
    let info = certificate.public_key();
    let (algorithm, key) = match info.parsed() {
        Ok(PublicKey::RSA(key)) => {
            let exponent = key.try_exponent().map_or(f64::NAN, |exponent| exponent as f64);
            ("RSA", map([("n", big(key.modulus)), ("e", Value::Number(exponent))]))
        }
        Ok(PublicKey::EC(point)) => {
            let curve = info.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
            let curve = match curve.map(|oid| oid.to_id_string()).as_deref() {
                Some("1.3.132.0.33") => "P-224",
                Some("1.2.840.10045.3.1.7") => "P-256",
                Some("1.3.132.0.34") => "P-384",
                Some("1.3.132.0.35") => "P-521",
                _ => return Err(Throw::go("failed to parse certificate: x509: unsupported elliptic curve")),
            };
            // A byte that says how the point is written, then both of its coordinates.
            let data = point.data().get(1..).unwrap_or_default();
            let (x, y) = data.split_at(data.len() / 2);
            ("ECDSA", map([("curve", map([("name", curve.into())])), ("x", big(x)), ("y", big(y))]))
        }
        Ok(PublicKey::DSA(y)) => {
            let parameters = info.algorithm.parameters.as_ref().map_or(&[][..], |parameters| parameters.data);
            let [p, q, g] = integers(parameters);
            ("DSA", map([("parameters", map([("p", big(p)), ("q", big(q)), ("g", big(g))])), ("y", big(y))]))
        }
        _ => return Err(Throw::go("unsupported public key algorithm")),
    };
    Ok(map([("algorithm", algorithm.into()), ("key", key)]))
}

/// Three numbers that stand one after the other in DER; empty where there is none.
fn integers(der: &[u8]) -> [&[u8]; 3] {
    let mut rest = der;
    std::array::from_fn(|_| {
        let (&[_, short], tail) = rest.split_first_chunk().unwrap_or((&[0, 0], &[]));
        let (length, tail) = match short {
            0..0x80 => (usize::from(short), tail),
            long => {
                let (length, tail) = tail.split_at_checked(usize::from(long & 0x7F)).unwrap_or_default();
                (length.iter().fold(0_usize, |sum, byte| sum.saturating_mul(256).saturating_add((*byte).into())), tail)
            }
        };
        let (number, tail) = tail.split_at_checked(length).unwrap_or_default();
        rest = tail;
        number
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_certificate_is_no_crash() {
        let certificate =
            rcgen::generate_simple_self_signed(["example.com".to_owned(), "10.0.0.1".to_owned()]).unwrap();
        let der = certificate.cert.der().to_vec();
        let (_, parsed) = X509Certificate::from_der(&der).unwrap();
        assert!(whole(&parsed, &der).is_ok());
        for at in 0..der.len() {
            for flip in [1, 0x40, 0x80, 0xFF] {
                let mut damaged = der.clone();
                damaged[at] ^= flip;
                if let Ok((_, parsed)) = X509Certificate::from_der(&damaged) {
                    _ = whole(&parsed, &damaged);
                }
            }
        }
    }

    #[test]
    fn the_first_block_of_a_text_counts() {
        let check =
            |text: &str, expect: Option<&[u8]>| assert_eq!(der_of(text.as_bytes()).as_deref(), expect, "{text}");
        let (begin, end) = ("-----BEGIN X-----\n", "-----END X-----\n");
        check(&format!("{begin}AAEC\n{end}"), Some(&[0, 1, 2]));
        check(&format!("about it\r\n{begin}AA\r\nEC \t\nAw==\r\n{end}{begin}AAEC\n{end}"), Some(&[0, 1, 2, 3]));
        check(&format!("{begin}{end}"), Some(&[]));
        check(&format!(" {begin}AAEC\n{end}{begin}AAED\n{end}"), Some(&[0, 1, 3]));
        check(&format!("{begin}AAEC\n -----END X-----\n"), None);
        for none in
            ["", "AAEC", "-----BEGIN X-----", "-----BEGIN X-----\nAAEC\n", "-----BEGIN X\nAAEC\n-----END X-----"]
        {
            check(none, None);
        }
        check(&format!("{begin}AAE\n{end}"), None);
        check(&format!("{begin}A: b\n\nAAEC\n{end}"), None);
        // However it was cut, this is what the library reads.
        let made = rcgen::generate_simple_self_signed(["example.com".to_owned()]).unwrap().cert;
        assert_eq!(der_of(made.pem().as_bytes()).as_deref(), Some(&**made.der()));
    }

    #[test]
    fn numbers_in_der_are_found() {
        let long = [&[2, 0x81, 0x80][..], &[7; 128]].concat();
        let der = [&[2, 1, 5][..], &long, &[2, 2, 1, 2]].concat();
        let none: &[u8] = &[];
        assert_eq!(integers(&der), [&[5][..], &[7; 128], &[1, 2]]);
        assert_eq!(integers(&der[..20]), [&[5], none, none]);
        assert_eq!(integers(&[2, 0xFF]), [none; 3]);
    }
}
