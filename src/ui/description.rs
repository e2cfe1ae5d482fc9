//! What a run says about itself before it starts: the script, the outputs, the scenarios.

use crate::units::Span;

/// The facts of the block.
#[derive(Clone, Debug, Default)]
pub struct Description {
    /// The script's name, as typed.
    pub script: String,
    /// The address of the web dashboard, while there is one.
    pub dashboard: Option<String>,
    /// What each output says of itself; dashboards have their own line.
    pub outputs: Vec<String>,
    /// The address for profilers, while there is one.
    pub profiling: Option<String>,
    /// The part of the whole test that this process runs, 0 to 1.
    pub segment: f64,
    /// The most VUs that may run at once.
    pub max_vus: u64,
    /// The end of the plan, graceful stop included.
    pub max_duration: Span,
    /// Name and plan of each scenario, in the order of their start.
    pub scenarios: Vec<(String, String)>,
}

impl Description {
    /// The block, with an empty line before and after it; values in cyan where colours are wanted.
    pub fn render(&self, colors: bool) -> String {
        let paint = |text: &str| if colors { format!("\x1b[36m{text}\x1b[0m") } else { text.to_owned() };
        let mut block = "\n".to_owned();
        let mut line = |label: &str, value: &str| block.push_str(&format!("{label:>14}: {value}\n"));
        line("execution", &paint("local"));
        line("script", &paint(&self.script));
        if let Some(address) = &self.dashboard {
            line("web dashboard", &paint(address));
        }
        let outputs = if self.outputs.is_empty() { "-".to_owned() } else { self.outputs.join(", ") };
        line("output", &paint(&outputs));
        if let Some(address) = &self.profiling {
            line("profiling", &paint(address));
        }
        block.push('\n');
        block.push_str(&format!("{:>14}: {}\n", "scenarios", paint(&self.plan())));
        for (name, plan) in &self.scenarios {
            block.push_str(&format!("{:>14}* {name}: {plan}\n", ""));
        }
        block.push('\n');
        block
    }

    fn plan(&self) -> String {
        let scenarios = match self.scenarios.len() {
            0 | 1 => format!("{} scenario", self.scenarios.len()),
            many => format!("{many} scenarios"),
        };
        // A scenario without end is planned for as long as can be written down.
        let longest = match self.max_duration.as_nanos() {
            i64::MAX => "infinite".to_owned(),
            _ => self.max_duration.rounded(Span::from_nanos(100_000_000)).to_string(),
        };
        format!(
            "({:.2}%) {scenarios}, {} max VUs, {longest} max duration (incl. graceful stop):",
            self.segment * 100.0,
            self.max_vus,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description() -> Description {
        Description {
            script: "script.js".to_owned(),
            segment: 1.0,
            max_vus: 2,
            max_duration: Span::parse("10m30s").unwrap(),
            scenarios: vec![(
                "default".to_owned(),
                "4 iterations shared among 2 VUs (maxDuration: 10m0s, gracefulStop: 30s)".to_owned(),
            )],
            ..Description::default()
        }
    }

    #[test]
    fn is_laid_out_as_in_k6() {
        assert_eq!(
            description().render(false),
            "
     execution: local
        script: script.js
        output: -

     scenarios: (100.00%) 1 scenario, 2 max VUs, 10m30s max duration (incl. graceful stop):
              * default: 4 iterations shared among 2 VUs (maxDuration: 10m0s, gracefulStop: 30s)

"
        );
    }

    #[test]
    fn further_lines_appear_when_there_is_something_to_say() {
        let mut full = description();
        full.dashboard = Some("http://127.0.0.1:5665".to_owned());
        full.outputs = vec!["json (a.json)".to_owned(), "csv (b.csv)".to_owned()];
        full.profiling = Some("http://localhost:6565/debug/pprof/".to_owned());
        full.segment = 0.25;
        full.max_duration = Span::from_nanos(41_460_000_000);
        full.scenarios.push(("other".to_owned(), "plan".to_owned()));
        let text = full.render(true);
        for line in [
            " web dashboard: \x1b[36mhttp://127.0.0.1:5665\x1b[0m\n",
            "        output: \x1b[36mjson (a.json), csv (b.csv)\x1b[0m\n",
            "     profiling: \x1b[36mhttp://localhost:6565/debug/pprof/\x1b[0m\n",
            "\x1b[36m(25.00%) 2 scenarios, 2 max VUs, 41.5s max duration (incl. graceful stop):\x1b[0m\n",
            "              * other: plan\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
}
