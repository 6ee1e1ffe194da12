//! The manual, a page for each command, made of the command line.

use std::io;

use clap::CommandFactory as _;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::args::Cli;
use crate::error::CommandError;
use crate::help::{EXAMPLES, EXIT_STATUS};

/// The page of the command that these words name.
pub(crate) fn page(words: &[String]) -> Result<Vec<u8>, CommandError> {
    let mut command = Cli::command();
    command.build();
    for word in words {
        let Some(next) = command.find_subcommand(word) else {
            return Err(CommandError::NoCommand { name: words.join(" ") });
        };
        command = next.clone();
    }
    render(&command).map_err(|source| CommandError::Output { source })
}

fn render(command: &clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let source = concat!("ckpt ", env!("CARGO_PKG_VERSION"));
    // An empty date would be left out, and what stands behind it would be taken for one.
    let manual = Man::new(command.clone()).date(" ").source(source).manual("Manual of ckpt");
    manual.render_title(&mut page)?;
    manual.render_name_section(&mut page)?;
    manual.render_synopsis_section(&mut page)?;
    manual.render_description_section(&mut page)?;
    manual.render_options_section(&mut page)?;
    if command.has_subcommands() {
        manual.render_subcommands_section(&mut page)?;
    }
    let below = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    sections(&below).to_writer(&mut page)?;
    Ok(page)
}

/// What stands below the options, which clap_mangen would call EXTRA and fill as one paragraph.
fn sections(below: &str) -> Roff {
    let mut roff = Roff::new();
    for block in below.split("\n\n").filter(|block| !block.is_empty()) {
        if let Some(examples) = block.strip_prefix(EXAMPLES) {
            roff.control("SH", ["EXAMPLES"]).control("nf", []);
            for line in examples.lines() {
                roff.text([roman(line.trim())]);
            }
            roff.control("fi", []);
        } else if let Some(status) = block.strip_prefix(EXIT_STATUS) {
            roff.control("SH", ["EXIT STATUS"]).text([roman(status)]);
        } else {
            roff.control("SH", ["NOTES"]).text([roman(block)]);
        }
    }
    roff
}
