//! volley runs Grafana k6 test scripts, with truer latency numbers, less CPU and flat memory.
//!
//! The rooms of the house, by floor; a room uses only the floors below it, and floor 0 is open to all
//! (`tests/tidy.rs` asserts it, `src/README.md` explains it):
//!
//! ```text
//!  9  doors      cli                            commands; nothing else parses arguments
//!  8  ceremony   procedure                      the written load-testing procedure: runs as children, one report
//!  7  conduct    run, target                    the stages of one run, forwards, in reading order
//!  6  voices     output, summary, report, ui, api  what the world sees
//!  5  language   js                             the k6 API; the only room that knows JavaScript
//!  4  time       execution                      when iterations start; knows a VU only as a handle
//!  3  means      net                            how bytes travel; no JavaScript, no metrics
//!  2  intent     options, source                what was asked, checked once at the border
//!  1  measure    metrics                        what was seen
//!  0  words      units, exit_code, failure, fifo, log
//! ```

// 0: words
pub mod exit_code;
pub mod failure;
pub mod fifo;
pub mod log;
pub mod units;
// 1: measure
pub mod metrics;
// 2: intent
pub mod options;
pub mod source;
// 3: means
pub mod net;
// 4: time
pub mod execution;
// 5: language
pub mod js;
// 6: voices
pub mod api;
pub mod output;
pub mod report;
pub mod summary;
pub mod ui;
// 7: conduct
pub mod run;
pub mod target;
// 8: ceremony
pub mod procedure;
// 9: doors
pub mod cli;
