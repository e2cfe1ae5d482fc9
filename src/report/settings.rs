//! The settings of the web dashboard: the argument of `-o web-dashboard=...`, then `K6_WEB_DASHBOARD_...`.

use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::units::Span;

/// The default port.
const DEFAULT_PORT: u16 = 5665;
/// The default interval of updates.
const DEFAULT_PERIOD: Duration = Duration::from_secs(2);
/// The prefix of all its environment variables.
const PREFIX: &str = "K6_WEB_DASHBOARD_";

/// Where the dashboard listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DashboardPort {
    /// Not given: 5665, or nowhere if that port is taken.
    Default,
    /// Given: the run does not begin without it. 0 is any free one.
    Given(u16),
    /// Nowhere.
    Off,
}

impl DashboardPort {
    /// The number to bind to; nothing when the dashboard does not listen.
    pub fn number(self) -> Option<u16> {
        match self {
            Self::Default => Some(DEFAULT_PORT),
            Self::Given(port) => Some(port),
            Self::Off => None,
        }
    }
}

/// The dashboard's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DashboardSettings {
    /// The address to listen on; empty for all.
    pub host: String,
    /// The port.
    pub port: DashboardPort,
    /// How often a page is sent new numbers.
    pub period: Duration,
    /// Whether to open a browser.
    pub opens_browser: bool,
    /// The file to write the page to at the end.
    pub export: Option<String>,
}

impl DashboardSettings {
    /// Reads the argument (a query string) over the variables over the defaults.
    ///
    /// # Errors
    /// What can't be meant, in one line.
    pub fn read(argument: Option<&str>, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut settings = Self {
            host: String::new(),
            port: DashboardPort::Default,
            period: DEFAULT_PERIOD,
            opens_browser: false,
            export: None,
        };
        for key in ["host", "port", "period", "open", "report", "export", "record", "tags"] {
            let name = format!("{PREFIX}{}", key.to_uppercase());
            if let Some(value) = env(&name).filter(|value| !value.is_empty()) {
                settings.set(key, &value).map_err(|error| format!("`{name}={value}`: {error}"))?;
            }
        }
        for pair in argument.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = decoded(value);
            settings.set(key, &value).map_err(|error| format!("`{pair}`: {error}"))?;
        }
        Ok(settings)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "host" => self.host = value.to_owned(),
            "port" => {
                self.port = match value.parse::<i32>() {
                    Ok(-1) => DashboardPort::Off,
                    Ok(port) => DashboardPort::Given(
                        u16::try_from(port).map_err(|_| "a port is at most 65535, or -1 for none")?,
                    ),
                    Err(_) => return Err("a port is a number, or -1 for none".to_owned()),
                }
            }
            "period" => {
                let period = Span::parse(value).map_err(|error| format!("{error}, a period looks like 2s"))?;
                if period < Span::from_nanos(100_000_000) {
                    return Err("a period is at least 100ms".to_owned());
                }
                self.period = period.to_duration();
            }
            "open" => {
                self.opens_browser = match value {
                    "" | "true" | "1" => true,
                    "false" | "0" => false,
                    _ => return Err("write `true` or `false`".to_owned()),
                }
            }
            "export" | "report" => self.export = Some(value.to_owned()).filter(|path| !path.is_empty()),
            "record" => {
                return Err("events are not recorded here, `--summary-json` has the whole time series".to_owned());
            }
            "tag" | "tags" => {
                return Err(
                    "series are not split by tags here; the page has groups, scenarios and endpoints".to_owned()
                );
            }
            _ => return Err("known are host, port, period, open, export".to_owned()),
        }
        Ok(())
    }
}

/// A value of a query string as it was meant.
fn decoded(value: &str) -> String {
    percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(argument: Option<&str>, env: &[(&str, &str)]) -> Result<DashboardSettings, String> {
        let find = |name: &str| {
            let name = name.strip_prefix(PREFIX)?;
            env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        DashboardSettings::read(argument, &find)
    }

    #[test]
    fn arguments_win_over_variables() {
        let usual = read(None, &[]).unwrap();
        assert_eq!((usual.port.number(), usual.opens_browser, usual.export), (Some(5665), false, None));
        let env = [("PORT", "-1"), ("PERIOD", "5s"), ("EXPORT", "a b.html"), ("OPEN", "true"), ("HOST", "localhost")];
        let env_only = read(None, &env).unwrap();
        assert_eq!((env_only.port, env_only.period), (DashboardPort::Off, Duration::from_secs(5)));
        assert_eq!((env_only.host.as_str(), env_only.export.as_deref()), ("localhost", Some("a b.html")));
        let both = read(Some("port=0&export=%2Ftmp%2Fa+b.html&open=false"), &env).unwrap();
        assert_eq!((both.port, both.export.as_deref()), (DashboardPort::Given(0), Some("/tmp/a b.html")));
        assert!(!both.opens_browser);
    }

    #[test]
    fn what_can_not_be_meant_is_refused() {
        let check = |argument: &str, expect: &str| assert_eq!(read(Some(argument), &[]).unwrap_err(), expect);
        check("port=x", "`port=x`: a port is a number, or -1 for none");
        check("port=70000", "`port=70000`: a port is at most 65535, or -1 for none");
        check("colour=red", "`colour=red`: known are host, port, period, open, export");
        check("period=1ms", "`period=1ms`: a period is at least 100ms");
        assert!(read(None, &[("RECORD", "x")]).unwrap_err().starts_with("`K6_WEB_DASHBOARD_RECORD=x`: events are not"));
        assert!(read(None, &[("TAGS", "group")]).unwrap_err().contains("not split by tags"));
    }
}
