//! The program `blossom-run`; all of it is in the library's [`cli`](blossom_run::cli).

use std::process::ExitCode;

fn main() -> ExitCode {
    blossom_run::cli::main()
}
