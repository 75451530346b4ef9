//! The program `blossom-run`; all of it is in the library's [`cli`](blossom_run::cli).

use std::process::ExitCode;

// A call makes and drops hundreds of small values; with the allocator of the system a fifth of a run went there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    blossom_run::cli::main()
}
