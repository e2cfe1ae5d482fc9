//! What a store wants to see before it takes anything: from the environment or from a file in the form of AWS' tools, and
//! kept out of everything that is written.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::summary::writing;

/// Keys of a store. Shown, it hides itself.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreCredentials {
    /// Who.
    pub key_id: String,
    /// The secret.
    pub secret: String,
    /// Of a session, if it is one.
    pub token: Option<String>,
}

impl fmt::Debug for StoreCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// Where credentials are looked for.
#[derive(Clone, Debug, Default)]
pub struct CredentialsSource {
    /// A file; without it the environment, then the file AWS' tools read.
    pub file: Option<PathBuf>,
    /// Its section; `AWS_PROFILE`, or else `default`.
    pub profile: Option<String>,
}

impl StoreCredentials {
    /// Looks for them.
    ///
    /// # Errors
    /// Where they were looked for.
    pub fn find(place: &CredentialsSource, env: &BTreeMap<String, String>, cwd: &Path) -> Result<Self, String> {
        let variable = |name: &str| env.get(name).filter(|value| !value.is_empty()).cloned();
        if place.file.is_none()
            && let Some((key_id, secret)) = variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY"))
        {
            return Ok(Self { key_id, secret, token: variable("AWS_SESSION_TOKEN") });
        }
        let usual = || {
            let named = variable("AWS_SHARED_CREDENTIALS_FILE").map(PathBuf::from);
            named.or_else(|| Some(PathBuf::from(variable("HOME")?).join(".aws/credentials")))
        };
        let Some(file) = place.file.as_ref().map(|file| cwd.join(file)).or_else(usual) else {
            return Err("there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned());
        };
        let text = std::fs::read_to_string(&file).map_err(|error| {
            let why = format!("{}: {}", file.display(), writing::plain(&error));
            if place.file.is_some() {
                return why;
            }
            format!("there are no credentials in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, nor in a file ({why})")
        })?;
        let profile = place.profile.clone().or_else(|| variable("AWS_PROFILE")).unwrap_or_else(|| "default".to_owned());
        Self::read(&text, &profile).ok_or_else(|| {
            format!("{}: [{profile}] has no aws_access_key_id and aws_secret_access_key", file.display())
        })
    }

    /// A section of a file such as `~/.aws/credentials`.
    fn read(text: &str, profile: &str) -> Option<Self> {
        let mut is_inside = false;
        let mut found: BTreeMap<&str, &str> = BTreeMap::new();
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
            if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                is_inside = section.trim() == profile;
            } else if let Some((key, value)) = line.split_once('=').filter(|_| is_inside) {
                found.insert(key.trim(), value.trim());
            }
        }
        let value = |key: &str| found.get(key).filter(|value| !value.is_empty()).map(|value| (*value).to_owned());
        let (key_id, secret) = value("aws_access_key_id").zip(value("aws_secret_access_key"))?;
        Some(Self { key_id, secret, token: value("aws_session_token") })
    }

    /// A text without them.
    pub fn hidden_in(&self, text: &str) -> String {
        let secrets = [Some(&self.secret), self.token.as_ref(), Some(&self.key_id)];
        secrets.into_iter().flatten().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "***"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_come_from_the_environment_or_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let text = "# mine\n[default]\naws_access_key_id = A\naws_secret_access_key=B\n[ci]\naws_access_key_id=C\n\
                    aws_secret_access_key=D\naws_session_token=E\n[half]\naws_access_key_id=F\n";
        std::fs::write(folder.path().join("keys"), text).unwrap();
        let check = |file: Option<&str>, profile: Option<&str>, env: &[(&str, &str)], expect: Result<&str, &str>| {
            let place = CredentialsSource { file: file.map(PathBuf::from), profile: profile.map(str::to_owned) };
            let env = env.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            match (StoreCredentials::find(&place, &env, folder.path()), expect) {
                (Ok(found), Ok(expect)) => {
                    assert_eq!(format!("{}{}{}", found.key_id, found.secret, found.token.unwrap_or_default()), expect);
                }
                (Err(why), Err(expect)) => assert!(why.contains(expect), "{why}"),
                (found, _) => panic!("{found:?}"),
            }
        };
        let set = [("AWS_ACCESS_KEY_ID", "X"), ("AWS_SECRET_ACCESS_KEY", "Y")];
        check(None, None, &set, Ok("XY"));
        check(Some("keys"), None, &set, Ok("AB"));
        check(Some("keys"), Some("ci"), &[], Ok("CDE"));
        check(Some("keys"), None, &[("AWS_PROFILE", "ci")], Ok("CDE"));
        check(Some("keys"), Some("half"), &[], Err("[half] has no aws_access_key_id"));
        check(Some("nothing"), None, &set, Err("nothing: no such file"));
        check(None, None, &[], Err("there are no credentials"));
        check(None, None, &[("HOME", "/nowhere")], Err("/nowhere/.aws/credentials"));
    }

    #[test]
    fn they_are_not_shown() {
        let all = StoreCredentials { key_id: "AKIA".to_owned(), secret: "s3cret".to_owned(), token: None };
        assert_eq!(format!("{all:?}"), "Credentials(…)");
        assert_eq!(all.hidden_in("no AKIA, no s3cret"), "no ***, no ***");
    }
}
