//! The JSON config file: the lowest layer of options, and a few settings of the command line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::commands::CommandContext;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::options::{Compat, Options};

/// What the file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConfigFile {
    /// Options of the test.
    pub options: Options,
    /// `out`.
    pub outputs: Option<Vec<String>>,
    /// `linger`.
    pub linger: Option<bool>,
    /// `webDashboard`.
    pub web_dashboard: Option<bool>,
    /// `features`.
    pub features: Vec<String>,
    /// `collectors`: an output's own configuration, by its name.
    pub collectors: Map<String, Value>,
}

/// Where the file is unless a flag or a variable says otherwise.
fn default_path(env: &BTreeMap<String, String>) -> PathBuf {
    let folder = |name: &str| env.get(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    let base = folder("XDG_CONFIG_HOME").or_else(|| folder("HOME").map(|home| home.join(".config")));
    base.unwrap_or_else(|| PathBuf::from(".config")).join("k6/config.json")
}

impl ConfigFile {
    /// The config file of a command.
    ///
    /// # Errors
    /// As [`ConfigFile::load`].
    pub(super) fn of_command(context: &CommandContext, notes: &mut Compat) -> Result<Self, Failure> {
        Self::load(context.global.config.as_deref(), &context.env, &context.cwd, notes)
    }

    /// Reads the file given by flag or `K6_CONFIG`, or the default one if it is there. Paths are relative to `cwd`.
    ///
    /// # Errors
    /// A named file that is missing, and bad JSON; code 104.
    pub fn load(
        named: Option<&str>,
        env: &BTreeMap<String, String>,
        cwd: &Path,
        notes: &mut Compat,
    ) -> Result<Self, Failure> {
        let path = named.map_or_else(|| default_path(env), PathBuf::from);
        let shown = path.display();
        let invalid = |message: String| {
            let context = "failed to load the configuration file from the local file system";
            Failure::new(ExitCode::InvalidConfig, format!("{context}: {message}"))
        };
        let text = match std::fs::read_to_string(cwd.join(&path)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                if named.is_none() {
                    return Ok(Self::default());
                }
                return Err(invalid(format!("stat {shown}: no such file or directory")));
            }
            Err(error) => return Err(invalid(format!("read {shown}: {error}"))),
        };
        Self::parse(&text, notes)
            .map_err(|error| invalid(format!("couldn't parse the configuration from \"{shown}\": {error}")))
    }

    fn parse(text: &str, notes: &mut Compat) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        // Unknown keys are ignored, as in k6.
        let options = Options::from_json(&value, notes).map_err(|failure| failure.message)?.options;
        let flag = |key: &str| match &value[key] {
            Value::Null => Ok(None),
            Value::Bool(flag) => Ok(Some(*flag)),
            _ => Err(format!("json: cannot unmarshal `{key}` into Go value of type null.Bool")),
        };
        let outputs = match &value["out"] {
            Value::Null => None,
            Value::Array(items) => {
                let item = |item: &Value| {
                    item.as_str().map(str::to_owned).ok_or("json: `out` must be an array of strings".to_owned())
                };
                Some(items.iter().map(item).collect::<Result<_, _>>()?)
            }
            _ => return Err("json: `out` must be an array of strings".to_owned()),
        };
        Ok(Self {
            outputs,
            linger: flag("linger")?,
            web_dashboard: flag("webDashboard")?,
            features: options.features.clone().unwrap_or_default(),
            collectors: value["collectors"].as_object().cloned().unwrap_or_default(),
            options,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("good.json"), r#"{"vus": 3, "out": ["json=x"], "linger": true, "foo": 1}"#)
            .unwrap();
        std::fs::write(folder.path().join("bad.json"), "{").unwrap();
        let load = |name: &str| ConfigFile::load(Some(name), &BTreeMap::new(), folder.path(), &mut Compat::default());
        let good = load("good.json").unwrap();
        assert_eq!((good.options.vus, good.linger), (Some(3), Some(true)));
        assert_eq!(good.outputs.as_deref(), Some(&["json=x".to_owned()][..]));
        let check = |name: &str, expect: &str| {
            let failure = load(name).unwrap_err();
            assert_eq!(failure.code, ExitCode::InvalidConfig);
            assert!(failure.message.starts_with(expect), "{}", failure.message);
        };
        let context = "failed to load the configuration file from the local file system: ";
        check("nowhere.json", &format!("{context}stat nowhere.json: no such file or directory"));
        check("bad.json", &format!("{context}couldn't parse the configuration from \"bad.json\": "));
    }

    #[test]
    fn without_a_name_a_missing_file_is_no_error() {
        let env = [("XDG_CONFIG_HOME".to_owned(), "/nowhere".to_owned())].into();
        let got = ConfigFile::load(None, &env, Path::new("/"), &mut Compat::default()).unwrap();
        assert_eq!(got, ConfigFile::default());
    }
}
