//! The one binary of integration tests: what is tested through the program, and the walls of the house.
//!
//! `js/` and `cli/` hold data, the modules of the same name run it. A test beside the code is better where one is
//! possible; here is what takes the whole program.

mod cli;
mod faults;
mod js;
mod pattern;
mod procedure;
mod program;
mod report;
mod server;
mod tidy;
