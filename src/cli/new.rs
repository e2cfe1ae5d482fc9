//! `new`: writes a script to start from.

use std::path::Path;

use super::args::NewArgs;
use super::usage::refuse;
use crate::failure::Failure;

const MINIMAL: &str = r#"import http from 'k6/http';
import { check, sleep } from 'k6';

export const options = {
  vus: 5,
  duration: '30s',PROJECT
};

export default function () {
  const res = http.get('https://quickpizza.grafana.com/');
  check(res, { 'status is 200': (r) => r.status === 200 });
  sleep(1);
}
"#;

const PROTOCOL: &str = r#"import http from 'k6/http';
import { check, group, sleep } from 'k6';
import { Trend } from 'k6/metrics';

const BASE_URL = __ENV.BASE_URL || 'https://quickpizza.grafana.com';
const loginTime = new Trend('login_time', true);

export const options = {
  scenarios: {
    steady: { executor: 'constant-arrival-rate', rate: 10, duration: '1m', preAllocatedVUs: 10, maxVUs: 50 },
  },
  thresholds: {
    http_req_failed: ['rate<0.01'],
    http_req_duration: ['p(95)<500'],
  },PROJECT
};

export function setup() {
  const res = http.get(BASE_URL);
  if (res.status !== 200) {
    throw new Error(`${BASE_URL} answered ${res.status}`);
  }
}

export default function () {
  group('visit', () => {
    const res = http.get(BASE_URL, { tags: { page: 'home' } });
    loginTime.add(res.timings.duration);
    check(res, { 'status is 200': (r) => r.status === 200 });
  });
  sleep(1);
}
"#;

const BROWSER: &str = r#"import { browser } from 'k6/browser';
import { check } from 'https://jslib.k6.io/k6-utils/1.5.0/index.js';

export const options = {
  scenarios: {
    ui: { executor: 'shared-iterations', options: { browser: { type: 'chromium' } } },
  },PROJECT
};

export default async function () {
  const page = await browser.newPage();
  try {
    await page.goto('https://quickpizza.grafana.com/');
    await check(page, { 'has a title': async (p) => (await p.title()).length > 0 });
  } finally {
    await page.close();
  }
}
"#;

impl NewArgs {
    /// Writes the script below `cwd` and says so.
    ///
    /// # Errors
    /// A file that is there already, an unknown template, a disk that refuses; code 255.
    pub fn write(&self, cwd: &Path) -> Result<String, Failure> {
        let file = match self.file.as_slice() {
            [] => "script.js",
            [file] => file,
            more => return Err(refuse(format!("accepts at most 1 arg(s), received {}", more.len()))),
        };
        let template = self.template.as_deref().unwrap_or("minimal");
        let text = match template {
            "minimal" => MINIMAL.to_owned(),
            "protocol" => PROTOCOL.to_owned(),
            "browser" => BROWSER.to_owned(),
            path if path.contains(['/', '\\']) => std::fs::read_to_string(cwd.join(path))
                .map_err(|error| refuse(format!("error retrieving template: {path}: {error}")))?,
            unknown => {
                return Err(refuse(format!("error retrieving template: invalid template type {unknown:?}")));
            }
        };
        let target = cwd.join(file);
        let force = self.force.is_some_and(|force| force.0);
        if !force && target.exists() {
            return Err(refuse(format!("{file} already exists. Use the `--force` flag to overwrite it")));
        }
        let id = self.project_id.as_deref().unwrap_or_default();
        let project = if id.is_empty() { String::new() } else { format!("\n  cloud: {{ projectID: {id} }},") };
        let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let text = text.replace("PROJECT\n", &format!("{project}\n"));
        let text = text.replace("{{ .ScriptName }}", &name).replace("{{ .ProjectID }}", id);
        std::fs::write(&target, text).map_err(|error| refuse(format!("writing {file}: {error}")))?;
        Ok(format!("New script created: {file} ({template} template).\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Switch;

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
