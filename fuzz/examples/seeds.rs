//! Writes what the targets begin with, made from the golden files and from those of Flink: `seeds GOLDEN FLINK CORPUS`
//! writes `CORPUS/<target>/<name>`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use ckpt_core::state_file::Trailer;
use ckpt_core::testing::{Envelope, MetadataSections};
use ckpt_fuzz::input;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let (Some(golden), Some(flink), Some(corpus)) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err("usage: seeds GOLDEN FLINK CORPUS".into());
    };
    let mut written = 0;
    for entry in fs::read_dir(&golden)? {
        let entry = entry?;
        let (name, bytes) = (entry.file_name(), fs::read(entry.path())?);
        let mut put = |target: &str, seed: &[u8]| {
            written += 1;
            write(&corpus.join(target).join(&name), seed)
        };
        let body = |envelopes: &[Envelope]| envelopes.iter().find_map(|envelope| envelope.open(&bytes));
        if let Some(file) = MetadataSections::open(&bytes) {
            put("metadata", &input::of_sections(&file))?;
        } else if let Some(body) = body(&[Envelope::HEAD]) {
            put("head", body)?;
            put("head_changes", &[HEAD_CHANGES, body].concat())?;
        } else if let Some(body) = body(&[Envelope::OWNER, Envelope::SAVEPOINT, Envelope::DISPOSAL]) {
            put("mark", body)?;
        } else if let Some(body) = body(&Envelope::MESSAGES) {
            put("message", body)?;
        } else if bytes.starts_with(b"CKPL") {
            put("location", bytes.strip_suffix(&bytes[bytes.len() - 8..]).unwrap_or_default())?;
        } else if let Some(end) = bytes.len().checked_sub(Trailer::BYTES + 8).filter(|_| name == "state-file") {
            put("state_file", &[&1_u16.to_le_bytes(), &bytes[end..]].concat())?;
        } else {
            return Err(format!("no target begins with {}", entry.path().display()).into());
        }
    }
    for target in ["flink_metadata", "flink_conversion"] {
        flink_metadata(&flink, &corpus.join(target))?;
    }
    for (number, seed) in input::of_settings().into_iter().enumerate() {
        write(&corpus.join("config").join(number.to_string()), &seed)?;
    }
    if written == 0 { Err(format!("{} has no golden file", golden.display()).into()) } else { Ok(()) }
}

/// The files that begin as Flink's do, of a directory and those in it, each by its length: they are all different ones.
fn flink_metadata(directory: &Path, corpus: &Path) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            flink_metadata(&path, corpus)?;
            continue;
        }
        let bytes = fs::read(&path)?;
        if bytes.starts_with(&ckpt_flink::MAGIC) {
            write(&corpus.join(bytes.len().to_string()), &bytes)?;
        }
    }
    Ok(())
}

/// How many changes, and a claim, a commit, a savepoint that is begun and published, and an end.
const HEAD_CHANGES: &[u8] = &[5, 2, 0, 7, 9, 4];

fn write(path: &Path, seed: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    fs::write(path, seed)
}
