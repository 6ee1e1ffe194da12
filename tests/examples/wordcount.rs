//! Counts words exactly once, though its pipeline is killed again and again: `wordcount --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ckpt_tests::wordcount::main()
}
