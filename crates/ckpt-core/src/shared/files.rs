//! Every file that is alive, by a dense slot and by name.

use std::collections::BTreeMap;

use hashbrown::HashTable;

use crate::id::{FileName, Writer};
use crate::shared::name::{Name, Part, hash_of_foreign, hash_of_ours};
use crate::shared::slots::{FreeSlots, Slot};
use crate::shared::{FileContent, SharedStateRefusal};
use crate::state::{FileRef, FileView, Place, RelPath, Root, StateHandle};

/// The files, or pieces of files, that are alive.
///
/// Ten million fit into a gigabyte: an entry has no allocation of its own, what names have in common is kept once, and the
/// index holds nothing but slots.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    entries: Vec<Entry>,
    /// Slots that hold nothing.
    free: FreeSlots,
    /// By the hash of the name. Nothing ever goes through it, so its order is not seen.
    index: HashTable<Slot>,
    prefixes: Prefixes,
    /// Of each file that is named in pieces, how many are alive.
    pieces: BTreeMap<(u32, u32), u32>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    prefix: u32,
    number: u32,
    part: Part,
    content: FileContent,
}

/// How many slots are looked at together.
const AT_ONCE: usize = 32;

/// What the names of files have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Prefix {
    /// Files of ours: the writer. The rest of the name is a number.
    Writer(Root, Writer),
    /// A file that somebody else named. Nothing is left of the name.
    Foreign(Root, RelPath),
}

/// The prefixes of all that is alive, by a dense number.
#[derive(Clone, Debug, Default)]
struct Prefixes {
    /// Each with the number of entries that begin with it.
    all: Vec<(Prefix, u32)>,
    free: Vec<u32>,
    numbers: BTreeMap<Prefix, u32>,
    /// The one that was entered last, which is nearly always the next one too.
    last: u32,
}

impl Files {
    /// How many are alive.
    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    pub(super) fn find(&self, name: &Name<'_>) -> Option<Slot> {
        self.index.find(name.hash(), |slot| self.is_named(*slot, name)).copied()
    }

    /// Whether the whole file is alive, or any piece of it.
    pub(super) fn is_alive(&self, root: Root, file: &FileRef) -> bool {
        let file = file.view();
        let (prefix, number) = Prefix::of(root, file);
        let in_pieces = || self.prefixes.numbers.get(&prefix).map(|prefix| (*prefix, number));
        self.find(&Name { root, file, part: Part::WHOLE }).is_some()
            || (!self.pieces.is_empty() && in_pieces().is_some_and(|file| self.pieces.contains_key(&file)))
    }

    /// Enters a file that is [not there](Self::find).
    ///
    /// # Errors
    ///
    /// When the file is there in one piece and this is one of several, or the other way round.
    pub(super) fn insert(&mut self, name: &Name<'_>, content: FileContent) -> Result<Slot, SharedStateRefusal> {
        let (prefix, number) = Prefix::of(name.root, name.file);
        if self.is_otherwise_divided(&prefix, number, name) {
            return Err(SharedStateRefusal::InPieces { root: name.root, file: name.file.to_file() });
        }
        let free = self.free.take(self.entries.len());
        let slot =
            free.or_else(|| u32::try_from(self.entries.len()).ok().map(Slot)).ok_or(SharedStateRefusal::TooMany)?;
        let prefix = self.prefixes.enter(prefix);
        if name.part != Part::WHOLE {
            *self.pieces.entry((prefix, number)).or_insert(0) += 1;
        }
        let entry = Entry { prefix, number, part: name.part, content };
        match free {
            Some(slot) => self.entries[slot.index()] = entry,
            None => self.entries.push(entry),
        }
        let (entries, prefixes) = (&self.entries, &self.prefixes);
        self.index.insert_unique(name.hash(), slot, |slot| prefixes.hash_of(&entries[slot.index()]));
        Ok(slot)
    }

    /// Shows the files of those writers that are alive, and those of which a piece is, one piece after the other.
    pub(super) fn of_writers(&self, root: Root, writers: &[Writer], mut each: impl FnMut(FileName)) {
        let mut wanted = vec![None; self.prefixes.all.len()];
        let mut any = false;
        for writer in writers {
            if let Some(prefix) = self.prefixes.numbers.get(&Prefix::Writer(root, *writer)) {
                (wanted[*prefix as usize], any) = (Some(*writer), true);
            }
        }
        if !any {
            return;
        }
        for (index, entry) in self.entries.iter().enumerate() {
            let Some(writer) = wanted[entry.prefix as usize] else { continue };
            let file = writer.file(entry.number);
            let name = Name { root, file: FileView::Ours(file), part: entry.part };
            // What is gone leaves its entry until the slot is given out again.
            if self.find(&name).is_some_and(|slot| slot.index() == index) {
                each(file);
            }
        }
    }

    /// Takes files out, and hands each over of which no other piece is alive.
    ///
    /// They lie all over the memory. Each step is done for several before the next, so that none of them waits for what
    /// another one reads.
    pub(super) fn remove(&mut self, slots: &[Slot], mut gone: impl FnMut(Root, FileRef)) {
        let (mut hashes, mut buckets) = (Vec::with_capacity(AT_ONCE), Vec::with_capacity(AT_ONCE));
        for slots in slots.chunks(AT_ONCE) {
            hashes.extend(slots.iter().map(|slot| (*slot, self.prefixes.hash_of(&self.entries[slot.index()]))));
            buckets.extend(hashes.drain(..).filter_map(|(slot, hash)| {
                let bucket = self.index.find_bucket_index(hash, |candidate| *candidate == slot);
                bucket.map(|bucket| (slot, bucket))
            }));
            for (slot, bucket) in buckets.drain(..) {
                if let Some((root, file)) = self.remove_one(slot, bucket) {
                    gone(root, file);
                }
            }
        }
    }

    fn remove_one(&mut self, slot: Slot, bucket: usize) -> Option<(Root, FileRef)> {
        self.index.get_bucket_entry(bucket).ok()?.remove();
        self.free.put(slot);
        let entry = self.entries[slot.index()];
        let file = self.prefixes.file_of(&entry);
        self.prefixes.leave(entry.prefix);
        if entry.part != Part::WHOLE {
            let pieces = self.pieces.get_mut(&(entry.prefix, entry.number))?;
            *pieces -= 1;
            if *pieces > 0 {
                return None;
            }
            self.pieces.remove(&(entry.prefix, entry.number));
        }
        Some(file)
    }

    /// What lies in a slot.
    pub(super) fn content(&self, slot: Slot) -> FileContent {
        self.entries[slot.index()].content
    }

    /// Who wrote what lies in a slot; `None` when it is none of our names.
    pub(super) fn writer_of(&self, slot: Slot) -> Option<Writer> {
        match self.prefixes.get(&self.entries[slot.index()]) {
            Prefix::Writer(_, writer) => Some(*writer),
            Prefix::Foreign(..) => None,
        }
    }

    /// The handle of what lies in a slot, as it was registered.
    pub(super) fn handle(&self, slot: Slot) -> StateHandle {
        let entry = &self.entries[slot.index()];
        let (root, file) = self.prefixes.file_of(entry);
        let place = match entry.part.offset_bytes() {
            None => Place::File { root, file },
            Some(offset_bytes) => Place::Segment { root, file, offset_bytes },
        };
        StateHandle::assume_durable(place, entry.content.length_bytes, entry.content.digest)
    }

    fn is_named(&self, slot: Slot, name: &Name<'_>) -> bool {
        let entry = &self.entries[slot.index()];
        if entry.part != name.part {
            return false;
        }
        match (self.prefixes.get(entry), name.file) {
            (Prefix::Writer(root, writer), FileView::Ours(file)) => {
                entry.number == file.number && *root == name.root && *writer == file.writer()
            }
            (Prefix::Foreign(root, path), FileView::Foreign(file)) => *root == name.root && path.view() == file,
            _ => false,
        }
    }

    fn is_otherwise_divided(&self, prefix: &Prefix, number: u32, name: &Name<'_>) -> bool {
        if name.part != Part::WHOLE {
            return self.find(&Name { part: Part::WHOLE, ..*name }).is_some();
        }
        // Nearly always nothing is in pieces.
        !self.pieces.is_empty()
            && self.prefixes.numbers.get(prefix).is_some_and(|prefix| self.pieces.contains_key(&(*prefix, number)))
    }
}

impl Prefix {
    /// What comes before the number in the name of a file, and the number.
    fn of(root: Root, file: FileView<'_>) -> (Self, u32) {
        match file {
            FileView::Ours(name) => (Self::Writer(root, name.writer()), name.number),
            FileView::Foreign(path) => (Self::Foreign(root, path.to_path()), 0),
        }
    }
}

impl Prefixes {
    fn get(&self, entry: &Entry) -> &Prefix {
        &self.all[entry.prefix as usize].0
    }

    fn file_of(&self, entry: &Entry) -> (Root, FileRef) {
        match self.get(entry) {
            Prefix::Writer(root, writer) => (*root, FileRef::Ours(writer.file(entry.number))),
            Prefix::Foreign(root, path) => (*root, FileRef::Foreign(path.clone())),
        }
    }

    fn hash_of(&self, entry: &Entry) -> u64 {
        match self.get(entry) {
            Prefix::Writer(root, writer) => hash_of_ours(*root, writer.file(entry.number), entry.part),
            Prefix::Foreign(root, path) => hash_of_foreign(*root, path.view(), entry.part),
        }
    }

    /// Counts one more entry that begins with `prefix`.
    fn enter(&mut self, prefix: Prefix) -> u32 {
        let last = self.all.get(self.last as usize).filter(|last| last.1 > 0 && last.0 == prefix);
        if let Some(number) = last.map(|_| self.last).or_else(|| self.numbers.get(&prefix).copied()) {
            self.all[number as usize].1 += 1;
            self.last = number;
            return number;
        }
        let number = match self.free.pop() {
            Some(number) => {
                self.all[number as usize] = (prefix.clone(), 1);
                number
            }
            None => {
                self.all.push((prefix.clone(), 1));
                // There are no more prefixes than entries.
                (self.all.len() - 1) as u32
            }
        };
        self.numbers.insert(prefix, number);
        number
    }

    /// Counts one entry less.
    fn leave(&mut self, number: u32) {
        let (prefix, entries) = &mut self.all[number as usize];
        *entries -= 1;
        if *entries == 0 {
            self.numbers.remove(prefix);
            self.free.push(number);
        }
    }
}

const _: () = assert!(size_of::<Entry>() == 40, "memory for each file follows from this");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{LeaderEpoch, WriterId};
    use crate::state::ClaimId;

    const CONTENT: FileContent = FileContent { length_bytes: 1, digest: None };

    fn file(writer: u64, number: u32) -> FileRef {
        FileRef::Ours(Writer::new(LeaderEpoch::new(1), WriterId::new(writer)).file(number))
    }

    #[test]
    fn what_is_gone_leaves_room_for_the_next() {
        let mut files = Files::default();
        for round in 0..100 {
            let path = FileRef::Foreign(RelPath::new(format!("{round}.sst")).unwrap());
            let named = [(Part::WHOLE, file(round, 1)), (Part::at(5).unwrap(), file(round, 2)), (Part::WHOLE, path)];
            let slots = named.each_ref().map(|(part, file)| {
                let name = Name { root: Root::JobShared, file: file.view(), part: *part };
                files.insert(&name, CONTENT).unwrap()
            });
            assert_eq!(files.len(), 3);
            let mut gone = Vec::new();
            files.remove(&slots, |_, file| gone.push(file));
            assert_eq!(gone, named.map(|(_, file)| file));
        }
        assert_eq!((files.len(), files.entries.len(), files.prefixes.all.len()), (0, 3, 2));
        assert!(files.pieces.is_empty() && files.prefixes.numbers.is_empty() && files.index.is_empty());
    }

    #[test]
    fn names_are_compared_whole() {
        let mut files = Files::default();
        let claimed = Root::Claimed(ClaimId::FIRST);
        let path = FileRef::Foreign(RelPath::new("a").unwrap());
        let other = FileRef::Foreign(RelPath::new("b").unwrap());
        let names = [
            (Root::JobShared, file(1, 1), Part::WHOLE),
            (claimed, file(1, 1), Part::WHOLE),
            (claimed, file(2, 1), Part::WHOLE),
            (claimed, file(2, 2), Part::WHOLE),
            (claimed, file(3, 2), Part::at(0).unwrap()),
            (claimed, file(3, 2), Part::at(1).unwrap()),
            (claimed, path.clone(), Part::WHOLE),
            (claimed, other, Part::WHOLE),
            (Root::Claimed(ClaimId::new(9)), path, Part::WHOLE),
        ];
        let names = names.each_ref().map(|(root, file, part)| Name { root: *root, file: file.view(), part: *part });
        let slots = names.map(|name| files.insert(&name, CONTENT).unwrap());
        for (slot, own) in slots.iter().zip(&names) {
            for name in &names {
                assert_eq!(files.is_named(*slot, name), name == own, "{name:?} in the place of {own:?}");
            }
            assert_eq!(files.find(own), Some(*slot));
        }
    }
}
