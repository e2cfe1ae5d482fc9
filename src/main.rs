//! The thin end: hands the arguments to `cli` and obeys the exit code.

/// Many small allocations from many threads: measured, it is what makes a VU's memory and the cost of a request small.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    volley::cli::main(std::env::args_os().collect()).into()
}
