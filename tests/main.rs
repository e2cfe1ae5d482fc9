//! The one binary of integration tests: what is tested through the program, and the walls of the house.
//!
//! `js/` and `cli/` hold data, the modules of the same name make a test of each file and folder. A test beside the code is
//! better where one is possible; here is what takes the whole program. `harness` runs all of them.

/// `#[test]`
#[macro_use]
extern crate volley_test;

mod aia;
mod async_context;
mod authoring;
mod book;
mod browser;
mod check;
mod ci;
mod cli;
mod control;
mod endings;
mod examples;
mod faults;
mod grafana;
mod grpc;
mod harness;
mod hostile;
mod join;
mod join_faults;
mod js;
mod limits;
mod memory;
mod merge;
mod misbehaviour;
mod needs;
mod nginx;
mod operator;
mod output_faults;
mod outputs;
mod pattern;
mod peers;
mod procedure;
mod procedure_before;
mod procedure_live;
mod procedure_owner;
mod procedure_resume;
mod procedure_services;
mod procedure_upload;
mod procedure_verdict;
mod program;
mod redis;
mod regexp;
mod release;
mod remote;
mod report;
mod scale_out;
mod segments;
mod server;
mod sql;
mod sql_mysql;
mod target;
mod tidy;
mod truth;
mod truth_server;
mod unanswered;
mod vendor;
mod websocket;
mod x_endings;
mod x_icmp;
mod x_machine;
mod x_mqtt;
mod x_net;
mod x_ssh;

fn main() -> std::process::ExitCode {
    harness::main(
        [js::trials(), browser::trials(), cli::trials(), examples::trials(), book::trials()].into_iter().flatten(),
    )
}
