//! State files: what is written is read whole, and what is cut off, added or changed is noticed.

use ckpt_core::ErrorKind;
use ckpt_core::id::{FileName, LeaderEpoch, Writer, WriterId};
use ckpt_core::state_file::{BLOCK_BYTES, BlockDigester, FileEnd, Trailer, file_bytes, payload, table_bytes};
use ckpt_core::testing::strategies::{any_digest, any_file_name, cases};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::canonical::{any_changes, changed};

/// Payloads of every length around those of one to three blocks, which differ in every block.
fn any_payload() -> impl Strategy<Value = Vec<u8>> {
    let around = (0..4_usize, 0..64_usize).prop_map(|(blocks, more)| (blocks * BLOCK_BYTES + more).saturating_sub(32));
    let length = prop_oneof![1..500_usize, around].prop_map(|length| length.max(1));
    (length, any::<u32>()).prop_map(|(length, seed)| {
        (0..length as u32).map(|at| ((at ^ seed).wrapping_mul(0x9e37_79b1) >> 24) as u8).collect()
    })
}

fn finish(content: &[u8], pieces: &[Index], name: &FileName) -> FileEnd {
    let mut cuts: Vec<usize> = pieces.iter().map(|at| at.index(content.len())).chain([0, content.len()]).collect();
    cuts.sort_unstable();
    let mut digester = BlockDigester::new();
    cuts.windows(2).for_each(|piece| digester.update(&content[piece[0]..piece[1]]));
    digester.finish(name)
}

fn refused(file: &[u8], name: &FileName, length: usize, end: &FileEnd) -> Result<(), TestCaseError> {
    let error = payload(file, name, length as u64, end.handle_digest).unwrap_err();
    prop_assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Configuration), "{}", error);
    Ok(())
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn whole_files(content in any_payload(), pieces in vec(any::<Index>(), 0..6), name in any_file_name()) {
        let end = finish(&content, &pieces, &name);
        let file = [content.as_slice(), &end.bytes].concat();
        let length = content.len() as u64;
        prop_assert_eq!(file_bytes(length), Some(file.len() as u64));
        prop_assert!(payload(&file, &name, length, end.handle_digest).unwrap() == content);
        let (table, trailer) = end.bytes.split_at(table_bytes(length) as usize);
        let read = Trailer::decode(trailer).unwrap();
        let digests = read.verify(&name, length, table.to_vec(), end.handle_digest).unwrap();
        prop_assert_eq!(Trailer::new(length, &digests), read);
        prop_assert_eq!(read.encode(), trailer);
    }

    #[test]
    fn damaged_files(
        content in any_payload(),
        name in any_file_name(),
        other in any_file_name(),
        at in any::<Index>(),
        bit in 0..8_u32,
        more in vec(any::<u8>(), 1..40),
    ) {
        let end = finish(&content, &[], &name);
        let mut file = [content.as_slice(), &end.bytes].concat();
        refused(&file[..at.index(file.len())], &name, content.len(), &end)?;
        refused(&[file.as_slice(), &more].concat(), &name, content.len(), &end)?;
        if other != name {
            refused(&file, &other, content.len(), &end)?;
        }
        let at = at.index(file.len());
        file[at] ^= 1_u8 << bit;
        refused(&file, &name, content.len(), &end)?;
    }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn trailers(payload_bytes in 1..=u64::MAX, table_digest in any_digest(), changes in any_changes(), at in any::<Index>()) {
        let name = Writer::new(LeaderEpoch::new(1), WriterId::new(2)).file(3);
        let end = finish(b"any", &[], &name);
        let mut trailer = Trailer::decode(&end.bytes[table_bytes(3) as usize..]).unwrap();
        (trailer.payload_bytes, trailer.table_digest) = (payload_bytes, table_digest);
        let bytes = trailer.encode();
        prop_assert_eq!(Trailer::decode(&bytes).unwrap(), trailer);
        prop_assert!(Trailer::decode(&bytes[..at.index(bytes.len())]).is_err());
        let other = changed(bytes.to_vec(), &changes);
        if let Ok(read) = Trailer::decode(&other) {
            prop_assert_eq!(read.encode().to_vec(), other);
        }
    }
}
