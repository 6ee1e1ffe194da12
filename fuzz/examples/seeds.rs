//! Writes what the targets begin with, made from the golden files: `seeds GOLDEN CORPUS` writes `CORPUS/<target>/<name>`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use ckpt_core::state_file::Trailer;
use ckpt_fuzz::{HEAD, MESSAGES, MetadataFile};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let (Some(golden), Some(corpus)) = (arguments.next(), arguments.next()) else {
        return Err("usage: seeds GOLDEN CORPUS".into());
    };
    let mut written = 0;
    for entry in fs::read_dir(&golden)? {
        let entry = entry?;
        let (name, bytes) = (entry.file_name(), fs::read(entry.path())?);
        let mut put = |target: &str, seed: &[u8]| {
            written += 1;
            write(&corpus.join(target).join(&name), seed)
        };
        if let Some(file) = bytes.starts_with(b"CKPTMETA").then(|| MetadataFile::parse(&bytes)) {
            let file = file.ok_or("the golden metadata cannot be taken apart")?;
            if file.assemble() != bytes {
                return Err("the golden metadata is assembled to another file".into());
            }
            put("metadata", &file.to_input())?;
        } else if let Some(body) = HEAD.body(&bytes) {
            put("head", body)?;
        } else if let Some(body) = MESSAGES.iter().find_map(|kind| kind.body(&bytes)) {
            put("message", body)?;
        } else if let Some(end) = bytes.len().checked_sub(Trailer::BYTES + 8).filter(|_| name == "state-file") {
            put("state_file", &[&1_u16.to_le_bytes(), &bytes[end..]].concat())?;
        }
    }
    if written == 0 { Err(format!("{} has no golden file", golden.display()).into()) } else { Ok(()) }
}

fn write(path: &Path, seed: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    fs::write(path, seed)
}
