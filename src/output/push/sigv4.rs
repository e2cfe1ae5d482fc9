//! Signatures of Amazon's services, version 4: what their managed Prometheus wants on every push.
//!
//! Host, date and the hash of the body are signed; other headers may change on the way.

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use reqwest::Url;
use ring::{digest, hmac};

/// Signs requests to one region.
#[derive(Clone, Debug)]
pub struct RequestSigner {
    /// Such as `eu-central-1`.
    pub region: String,
    /// `aps` for the managed Prometheus.
    pub service: String,
    /// The name of the key.
    pub access_key: String,
    /// The key.
    pub secret_key: String,
}

impl RequestSigner {
    /// The headers that sign a request.
    pub fn sign(&self, method: &str, url: &Url, body: &[u8], now: Timestamp) -> [(&'static str, String); 2] {
        let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let date = &time[..8];
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let host = format!("{}{port}", url.host_str().unwrap_or_default());
        let request = format!(
            "{method}\n{}\n{}\nhost:{host}\nx-amz-date:{time}\n\nhost;x-amz-date\n{}",
            url.path(),
            url.query().unwrap_or_default(),
            hash(body),
        );
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hash(request.as_bytes()));
        let mut key = format!("AWS4{}", self.secret_key).into_bytes();
        for part in [date, &self.region, &self.service, "aws4_request", &text] {
            let signed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), part.as_bytes());
            key = signed.as_ref().to_vec();
        }
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders=host;x-amz-date, Signature={}",
            self.access_key,
            HEXLOWER.encode(&key),
        );
        [("x-amz-date", time), ("authorization", authorization)]
    }
}

fn hash(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_the_published_examples_do() {
        let signer = RequestSigner {
            region: "us-east-1".to_owned(),
            service: "service".to_owned(),
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
        };
        let url = Url::parse("https://example.amazonaws.com/").unwrap();
        let check = |method: &str, signature: &str| {
            let [_, (_, authorization)] = signer.sign(method, &url, b"", "2015-08-30T12:36:00Z".parse().unwrap());
            let expect = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature={signature}"
            );
            assert_eq!(authorization, expect);
        };
        check("GET", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
        check("POST", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
    }
}
