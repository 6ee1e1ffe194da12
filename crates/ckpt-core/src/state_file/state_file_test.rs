//! Whole files in memory, as they were written and damaged.

use super::*;
use crate::error::ErrorKind;
use crate::id::{LeaderEpoch, Writer, WriterId};

fn name(number: u32) -> FileName {
    Writer::new(LeaderEpoch::new(1), WriterId::new(2)).file(number)
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n % 251) as u8).collect()
}

/// A file with that payload and the digest of its handle.
fn file(content: &[u8]) -> (Vec<u8>, Digest) {
    let mut digester = BlockDigester::new();
    digester.update(content);
    let end = digester.finish(&name(3));
    ([content, &end.bytes].concat(), end.handle_digest)
}

#[test]
fn what_was_written_is_read_whatever_its_length() {
    for length in [1, 100, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES, 3 * BLOCK_BYTES + 17] {
        let content = bytes(length);
        let (file, digest) = file(&content);
        assert_eq!(file_bytes(length as u64), Some(file.len() as u64));
        assert!(payload(&file, &name(3), length as u64, digest).unwrap() == content, "{length} bytes");
    }
}

/// A segment is verified with what its handle says, wherever it begins and whatever lies around it.
#[test]
fn pieces_of_one_file_are_verified_one_by_one() {
    let contents = [bytes(500), bytes(BLOCK_BYTES + 17), bytes(1)];
    let pieces = contents.each_ref().map(|content| file(content));
    let whole: Vec<u8> = pieces.iter().flat_map(|(piece, _)| piece).copied().chain([0xee; 5]).collect();
    let read = |begin: usize, length: usize, digest| {
        let end = begin + file_bytes(length as u64).unwrap() as usize;
        payload(&whole[begin..end], &name(3), length as u64, digest)
    };
    let mut begin = 0;
    for (content, (piece, digest)) in contents.iter().zip(&pieces) {
        assert!(read(begin, content.len(), *digest).unwrap() == content);
        assert!(read(begin + 1, content.len(), *digest).is_err());
        // What another handle says of the same place.
        assert!(read(begin, content.len(), Digest::of(content)).is_err());
        begin += piece.len();
    }
}

#[test]
fn the_table_does_not_depend_on_the_pieces() {
    let content = bytes(3 * BLOCK_BYTES + 17);
    let in_pieces_of = |size: usize| {
        let mut digester = BlockDigester::new();
        content.chunks(size).for_each(|piece| digester.update(piece));
        digester.finish(&name(3))
    };
    let whole = in_pieces_of(content.len());
    for size in [1, 1000, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1] {
        assert_eq!(in_pieces_of(size), whole, "{size}");
    }
}

#[test]
fn a_file_that_the_handle_does_not_name_is_told() {
    let content = bytes(500);
    let (file, digest) = file(&content);
    let refusal = |name: &FileName, length: u64, digest| {
        let error = payload(&file, name, length, digest).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        error.to_string()
    };
    assert!(refusal(&name(4), 500, digest).contains("it is not the file that its handle names"));
    assert!(refusal(&name(3), 500, Digest::of(b"")).contains("it is not the file that its handle names"));
    assert_eq!(refusal(&name(3), 499, digest), "a state file of 499 payload bytes has 540 bytes, expected 539");
    assert!(refusal(&name(3), u64::MAX, digest).contains("has 540 bytes"));
    assert!(refusal(&name(3), 0, digest).contains("has 540 bytes, expected 32"));
    assert_eq!(file_bytes(u64::MAX), None);
}

#[test]
fn each_field_of_a_trailer_is_told_by_its_name() {
    let good = Trailer::new(5, &BlockDigests::new(vec![7; 8])).encode();
    assert_eq!(Trailer::decode(&good).unwrap().encode(), good);
    let with = |at: usize, byte: u8| {
        let mut bytes = good;
        bytes[at] = byte;
        Trailer::decode(&bytes).unwrap_err()
    };
    for (error, expected) in [
        (with(0, b'c'), "the trailer has the magic 'cKPTSTAT', expected 'CKPTSTAT'"),
        (with(9, 1), "the trailer has format version 257, expected 1: a newer program wrote it"),
        (with(8, 0), "the trailer has format version 0, expected 1: no program writes it"),
        (with(10, 2), "the trailer names digest algorithm 2, expected 1"),
        (with(11, 9), "the reserved byte of the trailer is 9, expected 0"),
        (with(12, 1), "the trailer says that blocks have 65537 bytes, expected 65536"),
        (with(16, 0), "the trailer says that there is no payload, expected some"),
        (Trailer::decode(&good[1..]).unwrap_err(), "the trailer has 31 bytes, expected 32"),
        (Trailer::decode(&[]).unwrap_err(), "the trailer has 0 bytes, expected 32"),
    ] {
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!((with(9, 1).kind(), with(8, 0).kind()), (ErrorKind::Configuration, ErrorKind::Corrupt));
}

#[test]
fn a_trailer_that_does_not_fit_is_told() {
    let content = bytes(BLOCK_BYTES + 1);
    let (file, digest) = file(&content);
    let (length, table) = (content.len() as u64, &file[content.len()..file.len() - Trailer::BYTES]);
    let trailer = Trailer::decode(&file[file.len() - Trailer::BYTES..]).unwrap();
    let refusal = |trailer: Trailer, length, table: &[u8]| {
        trailer.verify(&name(3), length, table.to_vec(), digest).unwrap_err().to_string()
    };
    assert_eq!(refusal(trailer, 7, table), "the trailer says that there are 65537 payload bytes, expected 7",);
    assert_eq!(refusal(trailer, length, &table[1..]), "the table of digests has 15 bytes, expected 16");
    let other = Trailer { table_digest: Digest::of(b""), ..trailer };
    assert!(refusal(other, length, table).starts_with("the table of digests has digest "));
    let digests = trailer.verify(&name(3), length, table.to_vec(), digest).unwrap();
    assert_eq!(digests.verify(2, &[]).unwrap_err().to_string(), "there is no block 2, expected a number below 2");
    assert_eq!(digests.verify(u64::MAX, &[]).unwrap_err().kind(), ErrorKind::Corrupt);
    assert!(digests.verify(1, &content[..1]).unwrap_err().to_string().starts_with("block 1 has digest "));
}
