//! What the fuzzer's bytes mean to targets that take more than one piece.

use ckpt_core::config::{ignored_keys, keys};
use ckpt_core::id::OperatorId;
use ckpt_core::testing::{MetadataSection, MetadataSections};

/// The sections of a metadata file, in a form in which every byte may be changed, since no length and no digest is in it
/// twice: {tag, flags, part, 16 bytes of operator if flagged so, length in 3 bytes, body}, as often as there are bytes;
/// whatever is too short is cut.
pub fn sections(mut input: &[u8]) -> MetadataSections {
    let mut file = MetadataSections::default();
    while let [tag, flags, part, rest @ ..] = input {
        let (operator, rest) = match rest.split_first_chunk::<16>() {
            Some((operator, rest)) if flags & 2 != 0 => (Some(OperatorId::new(*operator)), rest),
            _ => (None, rest),
        };
        let Some((length, rest)) = rest.split_first_chunk::<3>() else { break };
        let length = u32::from_le_bytes([length[0], length[1], length[2], 0]) as usize;
        let (body, rest) = rest.split_at(length.min(rest.len()));
        let mut section = MetadataSection::new((*tag).into(), body.to_vec());
        (section.critical, section.operator, section.part) = (flags & 1 != 0, operator, (*part).into());
        file.sections.push(section);
        input = rest;
    }
    file
}

/// The input that [`sections`] makes this file of.
pub fn of_sections(file: &MetadataSections) -> Vec<u8> {
    let mut input = Vec::new();
    for section in &file.sections {
        let flags = u8::from(section.critical) | u8::from(section.operator.is_some()) << 1;
        input.extend_from_slice(&[section.tag as u8, flags, section.part as u8]);
        input.extend(section.operator.into_iter().flat_map(OperatorId::bytes));
        input.extend_from_slice(&(section.body.len() as u32).to_le_bytes()[..3]);
        input.extend_from_slice(&section.body);
    }
    input
}

/// Keys and values, a line each: `key=value`, or a byte that is no text and stands for a known key, then the value. What
/// follows the first empty line is for the cluster.
pub fn settings(input: &[u8]) -> [Vec<(String, String)>; 2] {
    let names = names();
    let (mut job, mut cluster, mut of_cluster) = (Vec::new(), Vec::new(), false);
    for line in input.split(|byte| *byte == b'\n') {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let pair = match line {
            [] => {
                of_cluster = true;
                continue;
            }
            [known @ 0x80..=0xff, value @ ..] => {
                (names[usize::from(known - 0x80) % names.len()].to_owned(), text(value))
            }
            line => {
                let (key, value) = line.split_at(line.iter().position(|byte| *byte == b'=').unwrap_or(line.len()));
                (text(key), text(value.get(1..).unwrap_or_default()))
            }
        };
        if of_cluster { cluster.push(pair) } else { job.push(pair) }
    }
    [job, cluster]
}

/// Inputs for [`settings`]: each known key, in both ways, with its default.
pub fn of_settings() -> Vec<Vec<u8>> {
    let default =
        |name: &str| keys().find(|key| key.key == name).map_or_else(|| "1".into(), |key| key.default.to_string());
    let known = names().into_iter().enumerate().map(|(number, name)| (number as u8 | 0x80, name, default(name)));
    known
        .flat_map(|(number, name, value)| {
            [[&[number], value.as_bytes()].concat(), format!("{name}={value}\n\n{name}={value}").into_bytes()]
        })
        .collect()
}

/// Every name that some setting has or had, and those that are ignored.
fn names() -> Vec<&'static str> {
    let settings = keys().flat_map(|key| [vec![key.key], key.old_names, key.fallbacks].concat());
    settings.chain(ignored_keys().map(|key| key.key)).collect()
}
