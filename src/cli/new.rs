//! `new`: writes a script to start from.

use std::path::Path;

use clap::Args;

use super::args::{Switch, is_on};
use super::commands::{Command, CommandContext};
use super::usage::refuse;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::summary::writing;

/// One request, one check. Like all templates it runs against `volley target` as it is.
const MINIMAL: &str = r#"// Run something to test against, then the test:
//   volley target &
//   volley run {{ .ScriptName }}
{{ types }}import http from 'k6/http';
import { check, sleep } from 'k6';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

export const options{{ options }} = {
  vus: 5,
  duration: '30s',{{ project }}
};

export default function () {
  const res = http.get(`${BASE_URL}/api/risks`);
  check(res, { 'status is 200': (r) => r.status === 200 });
  sleep(1);
}
"#;

/// A login in setup, a scenario with a rate, groups, a metric of its own, thresholds.
const PROTOCOL: &str = r#"// Run something to test against, then the test:
//   volley target &
//   volley run {{ .ScriptName }}
{{ types }}import http from 'k6/http';
import { check, fail, group, sleep } from 'k6';
import { Trend } from 'k6/metrics';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';
const EMAIL = __ENV.EMAIL || 'admin@demo.local';
const PASSWORD = __ENV.PASSWORD || 'demo-password';

const listTime = new Trend('list_time', true);

export const options{{ options }} = {
  scenarios: {
    steady: { executor: 'constant-arrival-rate', rate: 10, duration: '1m', preAllocatedVUs: 20, maxVUs: 50 },
  },
  thresholds: {
    http_req_failed: ['rate<0.01'],
    http_req_duration: ['p(95)<500'],
    checks: ['rate>0.99'],
  },{{ project }}
};

// Runs once; what it returns, every user gets.
export function setup() {
  const res = http.post(`${BASE_URL}/api/v1/auth/login`, JSON.stringify({ email: EMAIL, password: PASSWORD }), {
    headers: { 'Content-Type': 'application/json' },
  });
  if (res.status !== 200) {
    fail(`login at ${BASE_URL} failed: ${res.status} ${res.error}`);
  }
  return { token: res.json('token') };
}

export default function ({ token }{{ data }}) {
  const params = { headers: { Authorization: `Bearer ${token}` } };
  group('look around', () => {
    const res = http.get(`${BASE_URL}/api/v1/risks?page=1`, { ...params, tags: { name: 'list' } });
    listTime.add(res.timings.duration);
    check(res, { 'the list is there': (r) => r.status === 200 });
  });
  sleep(0.5);
  group('look closer', () => {
    const res = http.get(`${BASE_URL}/api/v1/stats`, { ...params, tags: { name: 'stats' } });
    check(res, { 'the totals are there': (r) => r.status === 200 });
  });
}
"#;

/// One page in a browser.
const BROWSER: &str = r#"// Run something to test against, then the test:
//   volley target &
//   volley run {{ .ScriptName }}
{{ types }}import { browser } from 'k6/browser';

const BASE_URL = __ENV.BASE_URL || 'http://127.0.0.1:8080';

export const options{{ options }} = {
  scenarios: {
    ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } },
  },
  thresholds: { checks: ['rate==1.0'] },{{ project }}
};

export default async function () {
  const page = await browser.newPage();
  try {
    const response = await page.goto(`${BASE_URL}/plain`);
    if (!response?.ok()) {
      throw new Error(`the page answered ${response?.status()}`);
    }
  } finally {
    await page.close();
  }
}
"#;

/// What stands at the top of a script in TypeScript.
const TYPES: &str =
    "// Types for editors: npm install --save-dev @types/k6\nimport type { Options } from 'k6/options';\n";

/// Templates by the name the user types.
const TEMPLATES: [(&str, &str); 3] = [("minimal", MINIMAL), ("protocol", PROTOCOL), ("browser", BROWSER)];

/// Write a script to start from
#[derive(Clone, Debug, Default, Args)]
pub(super) struct NewArgs {
    /// The file to write; script.js if none is named, script.ts with --ts
    #[arg(value_name = "FILE")]
    file: Vec<String>,
    /// Write over a file that is there
    #[arg(short, long)]
    force: Option<Switch>,
    /// Write TypeScript, as for a FILE that ends in .ts
    #[arg(long)]
    ts: Option<Switch>,
    /// minimal, protocol, browser, or the path of a file
    #[arg(long, value_name = "TEMPLATE")]
    template: Option<String>,
    /// Put this project of the hosted service into the options
    #[arg(long, value_name = "ID")]
    project_id: Option<String>,
}

impl Command for NewArgs {
    fn run(self, context: CommandContext) -> Result<ExitCode, Failure> {
        if context.global.strict && self.ts.is_some() {
            return Err(refuse("unknown flag: --ts"));
        }
        context.print(&self.write(&context.cwd)?)
    }
}

impl NewArgs {
    /// Writes the script below `cwd` and says so.
    ///
    /// # Errors
    /// A file that is there already, an unknown template, a disk that refuses; code 255.
    fn write(&self, cwd: &Path) -> Result<String, Failure> {
        let file = match self.file.as_slice() {
            [] if is_on(self.ts) => "script.ts",
            [] => "script.js",
            [file] => file,
            more => return Err(refuse(format!("accepts at most 1 arg(s), received {}", more.len()))),
        };
        let template = self.template.as_deref().unwrap_or("minimal");
        let own = TEMPLATES.iter().find(|(name, _)| *name == template).map(|(_, text)| (*text).to_owned());
        let text = match own {
            Some(text) => text,
            None if template.contains(['/', '\\']) => std::fs::read_to_string(cwd.join(template)).map_err(|error| {
                refuse(format!("error retrieving template: {template}: {}", writing::plain(&error)))
            })?,
            None => return Err(refuse(format!("error retrieving template: invalid template type {template:?}"))),
        };
        let target = cwd.join(file);
        if !is_on(self.force) && target.exists() {
            return Err(refuse(format!("{file} already exists. Use the `--force` flag to overwrite it")));
        }
        let id = self.project_id.as_deref().unwrap_or_default();
        let project = if id.is_empty() { String::new() } else { format!("\n  cloud: {{ projectID: {id} }},") };
        let is_typed = is_on(self.ts) || target.extension().is_some_and(|ending| ending == "ts");
        let typed = |text: &'static str| Some(if is_typed { text } else { "" });
        let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let text = fill(&text, |field| match field {
            ".ScriptName" => Some(&name),
            ".ProjectID" => Some(id),
            "project" => Some(&project),
            "types" => typed(TYPES),
            "options" => typed(": Options"),
            "data" => typed(": { token: string }"),
            _ => None,
        })
        .map_err(|field| {
            let hint = "`{{ .ScriptName }}` and `{{ .ProjectID }}` are";
            refuse(format!("error retrieving template: `{field}` is nothing that can be filled in")).hint(hint)
        })?;
        writing::write_file(&target, text.as_bytes())
            .map_err(|error| refuse(format!("writing {file}: {}", writing::plain(&error))))?;
        let types = "Its types, for your editor: npm install --save-dev @types/k6\n";
        let types = if is_typed { types } else { "" };
        Ok(format!("New script created: {file} ({template} template).\n{types}"))
    }
}

/// Fills in what stands between double braces.
fn fill<'v>(text: &str, value: impl Fn(&str) -> Option<&'v str>) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let (field, after) = after.split_once("}}").ok_or("{{")?;
        filled.push_str(value(field.trim()).ok_or_else(|| format!("{{{{{field}}}}}"))?);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_of_ones_own_is_filled_in() {
        let check = |template: &str, expect: Result<&str, &str>| {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("t.js"), template).unwrap();
            let args = NewArgs { template: Some("./t.js".to_owned()), ..NewArgs::default() };
            let written = args.write(folder.path()).map_err(|failure| failure.message);
            let written = written.map(|_| std::fs::read_to_string(folder.path().join("script.js")).unwrap());
            assert_eq!(written.as_deref().map_err(String::as_str), expect);
        };
        check("// {{ .ScriptName }} [{{.ProjectID}}]", Ok("// script.js []"));
        check("${a}} {b", Ok("${a}} {b"));
        let refused = "error retrieving template: `{{ .Nope }}` is nothing that can be filled in";
        check("{{ .Nope }}", Err(refused));
    }

    #[test]
    fn typescript_has_types() {
        let folder = tempfile::tempdir().unwrap();
        for (template, _) in TEMPLATES {
            let named = NewArgs { file: vec![format!("{template}.ts")], ..NewArgs::default() };
            let args = NewArgs { template: Some(template.to_owned()), ..named };
            assert!(args.write(folder.path()).unwrap().ends_with("npm install --save-dev @types/k6\n"));
            let text = std::fs::read_to_string(folder.path().join(format!("{template}.ts"))).unwrap();
            assert!(text.contains("\nimport type { Options } from 'k6/options';\nimport "), "{text}");
            assert!(text.contains("export const options: Options = {\n") && !text.contains("{{"), "{text}");
        }
        let args = NewArgs { ts: Some(Switch(true)), ..NewArgs::default() };
        assert!(args.write(folder.path()).unwrap().starts_with("New script created: script.ts (minimal template).\n"));
    }

    #[test]
    fn a_script_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let args = NewArgs { project_id: Some("7".to_owned()), ..NewArgs::default() };
        assert_eq!(args.write(folder.path()).unwrap(), "New script created: script.js (minimal template).\n");
        let text = std::fs::read_to_string(folder.path().join("script.js")).unwrap();
        assert!(text.contains("duration: '30s',\n  cloud: { projectID: 7 },\n};"), "{text}");
        let failure = args.write(folder.path()).unwrap_err();
        assert_eq!(failure.message, "script.js already exists. Use the `--force` flag to overwrite it");
        assert!(NewArgs { force: Some(Switch(true)), ..args }.write(folder.path()).is_ok());
        let failure =
            NewArgs { template: Some("x".to_owned()), ..NewArgs::default() }.write(folder.path()).unwrap_err();
        assert_eq!(failure.message, "error retrieving template: invalid template type \"x\"");
    }
}
