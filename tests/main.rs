//! The one binary of integration tests: what is tested through the program, and the walls of the house.
//!
//! `js/` and `cli/` hold data, the modules of the same name run it. A test beside the code is better where one is
//! possible; here is what takes the whole program.

mod authoring;
mod ci;
mod cli;
mod control;
mod endings;
mod examples;
mod faults;
mod grpc;
mod js;
#[cfg(target_os = "linux")]
mod memory;
mod misbehaviour;
mod nginx;
mod outputs;
mod pattern;
mod peers;
mod procedure;
mod procedure_resume;
mod procedure_services;
mod procedure_upload;
mod procedure_verdict;
mod program;
mod remote;
mod report;
mod segments;
mod server;
mod tidy;
mod websocket;
