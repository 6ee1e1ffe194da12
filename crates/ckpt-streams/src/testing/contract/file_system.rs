//! What every file system must do.

use std::io::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use ckpt_core::ErrorKind;
use ckpt_core::state::RelPath;

use crate::file_system::{CasOutcome, Durability, Entry, Expect, FileSystem, FileVisitor, VersionTag, Visible};

/// Runs the suite; each part gets an empty file system.
///
/// # Panics
///
/// When the contract is broken.
pub fn file_system(make: &dyn Fn() -> Arc<dyn FileSystem>) {
    files_are_new_and_read_back(&*make());
    whole_files_never_replace(&*make());
    nothing_is_left_of_what_was_discarded(&*make());
    a_removed_file_does_not_come_back(&*make());
    lists_are_ordered_and_bounded(&*make());
    directories_are_found_by_what_is_below_them(&*make());
    a_visit_shows_each_file_once(&*make());
    what_is_visited_may_be_removed(&*make());
    copies_are_files_of_their_own(&*make());
    records_change_by_compare_and_swap(&*make());
    records_are_listed_and_removed(&*make());
    of_many_at_once_one_wins(&*make());
}

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn write(files: &dyn FileSystem, name: &str, visible: Visible, bytes: &[u8]) -> CasOutcome {
    let mut writer = files.create_new(&path(name), visible).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish(Durability::Full)
}

fn write_new(files: &dyn FileSystem, name: &str, bytes: &[u8]) {
    done(write(files, name, Visible::AtOnce, bytes));
}

fn done(outcome: CasOutcome) -> VersionTag {
    match outcome {
        CasOutcome::Done(tag) => tag,
        other => panic!("expected Done, found {other:?}"),
    }
}

fn read(files: &dyn FileSystem, name: &str) -> Vec<u8> {
    let file = files.open(&path(name)).unwrap();
    let mut bytes = vec![0; usize::try_from(file.length_bytes()).unwrap()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

fn names(files: &dyn FileSystem) -> Vec<String> {
    files.list(None, None, usize::MAX).unwrap().into_iter().map(|entry| entry.path.to_string()).collect()
}

fn files_are_new_and_read_back(files: &dyn FileSystem) {
    assert_eq!(files.open(&path("a/b/c")).unwrap_err().kind(), ErrorKind::NotFound);
    write_new(files, "a/b/c", b"0123456789");
    files.sync_entries(&[path("a/b/c")]).unwrap();
    assert_eq!(read(files, "a/b/c"), b"0123456789");
    let file = files.open(&path("a/b/c")).unwrap();
    let mut middle = [0; 3];
    file.read_exact_at(&mut middle, 4).unwrap();
    assert_eq!(&middle, b"456");
    let beyond = file.read_exact_at(&mut middle, 8).unwrap_err();
    assert_eq!(beyond.kind(), std::io::ErrorKind::UnexpectedEof);
    let again = files.create_new(&path("a/b/c"), Visible::AtOnce);
    assert_eq!(again.map(drop).unwrap_err().kind(), ErrorKind::AbortCheckpoint);
}

fn whole_files_never_replace(files: &dyn FileSystem) {
    let mut first = files.create_new(&path("d/whole"), Visible::WholeAtFinish).unwrap();
    let mut second = files.create_new(&path("d/whole"), Visible::WholeAtFinish).unwrap();
    first.write_all(b"first").unwrap();
    second.write_all(b"second").unwrap();
    assert_eq!(files.open(&path("d/whole")).unwrap_err().kind(), ErrorKind::NotFound);
    done(first.finish(Durability::Full));
    let lost = second.finish(Durability::Full);
    assert!(matches!(lost, CasOutcome::Lost), "{lost:?}");
    assert_eq!(read(files, "d/whole"), b"first");
    assert_eq!(names(files), ["d/whole"]);
}

fn nothing_is_left_of_what_was_discarded(files: &dyn FileSystem) {
    for visible in [Visible::AtOnce, Visible::WholeAtFinish] {
        let mut discarded = files.create_new(&path("x/discarded"), visible).unwrap();
        discarded.write_all(b"bytes").unwrap();
        discarded.discard().unwrap();
        drop(files.create_new(&path("x/dropped"), visible).unwrap());
        assert_eq!(names(files), [""; 0]);
    }
}

fn a_removed_file_does_not_come_back(files: &dyn FileSystem) {
    let mut writer = files.create_new(&path("r/file"), Visible::AtOnce).unwrap();
    writer.write_all(b"before").unwrap();
    let outcomes = files.remove(&[path("r/file"), path("r/none"), path("s/none")]);
    assert!(outcomes.len() == 3 && outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    // Whether a removed file can still be written to is up to the system; that nobody sees it is not.
    let _ = writer.write_all(b"after");
    let _ = writer.finish(Durability::Full);
    assert_eq!(names(files), [""; 0]);
    assert!(files.remove(&[path("r/file")])[0].is_ok());
}

fn lists_are_ordered_and_bounded(files: &dyn FileSystem) {
    let all = ["a", "b-c", "b/a", "b/c/d", "b/e", "b0", "c/x"];
    for name in all.iter().rev() {
        write_new(files, name, name.as_bytes());
    }
    assert_eq!(names(files), all);
    let sizes: Vec<u64> = files.list(None, None, 3).unwrap().into_iter().map(|entry| entry.length_bytes).collect();
    assert_eq!(sizes, [1, 3, 3]);
    let below = |prefix: &str, after: Option<&str>, limit| -> Vec<String> {
        let listed = files.list(Some(&path(prefix)), after.map(path).as_ref(), limit).unwrap();
        listed.into_iter().map(|entry| entry.path.to_string()).collect()
    };
    assert_eq!(below("b", None, 9), ["b/a", "b/c/d", "b/e"]);
    assert_eq!(below("none", None, 9), [""; 0]);
    // Page by page it is the same list.
    let mut paged = Vec::new();
    while let [entry] = &files.list(None, paged.last(), 1).unwrap()[..] {
        paged.push(entry.path.clone());
    }
    assert_eq!(paged.iter().map(RelPath::as_str).collect::<Vec<_>>(), all);
}

fn directories_are_found_by_what_is_below_them(files: &dyn FileSystem) {
    let found = |prefix: Option<&RelPath>| -> Vec<String> {
        files.directories(prefix).unwrap().iter().map(ToString::to_string).collect()
    };
    assert_eq!(found(None), [] as [&str; 0]);
    for name in ["a-b/x", "a/x", "a/c/d", "a/c/e/f", "a/c:d/e", "a.txt", "b/x", "b/y"] {
        write_new(files, name, b"x");
    }
    assert_eq!(found(None), ["a", "a-b", "b"]);
    assert_eq!(found(Some(&path("a"))), ["a/c", "a/c:d"]);
    assert_eq!(found(Some(&path("a/c"))), ["a/c/e"]);
    assert_eq!(found(Some(&path("b"))), [] as [&str; 0]);
    assert_eq!(found(Some(&path("none"))), [] as [&str; 0]);
}

/// What a visit has shown, and where: `+` a directory that was entered, `-` one that was left.
struct Shown<'a> {
    files: &'a dyn FileSystem,
    passes_by: &'a [&'a str],
    removes: bool,
    steps: Vec<String>,
}

impl FileVisitor for Shown<'_> {
    fn enters(&mut self, directory: &RelPath) -> bool {
        let enters = !self.passes_by.contains(&directory.as_str());
        self.steps.push(format!("{}{directory}", if enters { "+" } else { "!" }));
        enters
    }

    fn files(&mut self, files: Vec<Entry>) {
        assert!(!files.is_empty() && files.len() <= 1000, "{} at once", files.len());
        assert!(files.iter().all(|file| file.length_bytes == 1), "{files:?}");
        let files: Vec<RelPath> = files.into_iter().map(|entry| entry.path).collect();
        assert!(files.iter().all(|file| file.parent() == files[0].parent()), "{files:?}");
        if self.removes {
            assert!(self.files.remove(&files).iter().all(Result::is_ok));
        }
        self.steps.extend(files.iter().map(ToString::to_string));
    }

    fn left(&mut self, directory: &RelPath) {
        self.steps.push(format!("-{directory}"));
    }
}

fn visit(files: &dyn FileSystem, prefix: Option<&str>, passes_by: &[&str], removes: bool) -> Vec<String> {
    let mut shown = Shown { files, passes_by, removes, steps: Vec::new() };
    files.visit(prefix.map(path).as_ref(), &mut shown).unwrap();
    shown.steps
}

fn a_visit_shows_each_file_once(files: &dyn FileSystem) {
    assert_eq!(visit(files, None, &[], false), [""; 0]);
    assert_eq!(visit(files, Some("none"), &[], false), [""; 0]);
    let all = ["a", "b-c", "b/a", "b/c/d", "b/e", "b0", "c/x", "c/y/z"];
    for name in all {
        write_new(files, name, b"x");
    }
    for (prefix, passes_by, expected) in [
        (None, &[][..], &["+b", "+b/c", "+c", "+c/y", "-b", "-b/c", "-c", "-c/y"][..]),
        (None, &["b"], &["!b", "+c", "+c/y", "-c", "-c/y"]),
        (None, &["c/y", "b/c"], &["!b/c", "!c/y", "+b", "+c", "-b", "-c"]),
        (Some("b"), &[], &["+b/c", "-b/c"]),
        (Some("b/c"), &[], &[]),
    ] {
        let steps = visit(files, prefix, passes_by, false);
        // What is entered is left, and what lies below it is shown in between.
        for directory in expected.iter().filter_map(|step| step.strip_prefix('+')) {
            let at = |step: String| steps.iter().position(|other| *other == step).unwrap();
            let (from, to) = (at(format!("+{directory}")), at(format!("-{directory}")));
            let below = format!("{directory}/");
            for (place, step) in steps.iter().enumerate() {
                let is_below = step.trim_start_matches(['+', '-', '!']).starts_with(&below);
                assert_eq!(is_below, (from + 1..to).contains(&place), "{step} in {steps:?}");
            }
        }
        let mut files = all.map(str::to_owned).to_vec();
        files.retain(|file| prefix.is_none_or(|prefix| file.starts_with(&format!("{prefix}/"))));
        files.retain(|file| !passes_by.iter().any(|passed_by| file.starts_with(&format!("{passed_by}/"))));
        let mut expected: Vec<String> = expected.iter().map(ToString::to_string).chain(files).collect();
        expected.sort();
        let mut sorted = steps;
        sorted.sort();
        assert_eq!(sorted, expected, "{prefix:?} {passes_by:?}");
    }
}

fn what_is_visited_may_be_removed(files: &dyn FileSystem) {
    // More than are shown at once, and than a directory gives at once.
    for number in 0..2500 {
        write_new(files, &format!("many/{number}"), b"x");
        if number % 100 == 0 {
            write_new(files, &format!("few/{number}/file"), b"x");
        }
    }
    write_new(files, "kept/file", b"x");
    let steps = visit(files, None, &["kept"], true);
    assert_eq!(steps.iter().filter(|step| !step.starts_with(['+', '-', '!'])).count(), 2525);
    assert_eq!(names(files), ["kept/file"]);
}

fn copies_are_files_of_their_own(files: &dyn FileSystem) {
    // State files, which a file system may know by their names, and others.
    let state = ["s/0000000000000001-0000000000000002-00000001", "t/0000000000000001-0000000000000002-00000002"];
    for [from, to] in [["from", "to/copy"], state] {
        write_new(files, from, b"bytes");
        let copy = |from: &str, to: &str, durability| files.duplicate(&path(from), &path(to), durability);
        let missing = |outcome: CasOutcome| match outcome {
            CasOutcome::Failed(error) => assert_eq!(error.kind(), ErrorKind::NotFound),
            other => panic!("expected Failed, found {other:?}"),
        };
        done(copy(from, to, Durability::Full));
        files.sync_entries(&[path(to)]).unwrap();
        assert_eq!(names(files).len(), 2);
        assert!(files.remove(&[path(from)])[0].is_ok());
        assert_eq!(read(files, to), b"bytes");
        // What fails leaves nothing and touches nothing.
        missing(copy(from, "other", Durability::None));
        match copy(from, to, Durability::Full) {
            CasOutcome::Lost => {}
            outcome => missing(outcome),
        }
        assert_eq!(names(files), [to]);
        write_new(files, from, b"other");
        for target in [to, from] {
            for durability in [Durability::None, Durability::Full] {
                let taken = copy(from, target, durability);
                assert!(matches!(taken, CasOutcome::Lost), "{taken:?}");
            }
        }
        done(copy(from, "third", Durability::None));
        assert_eq!(read(files, "third"), b"other");
        assert!(files.remove(&[path("third")])[0].is_ok());
        let mut both = [from, to];
        both.sort_unstable();
        assert_eq!(names(files), both);
        assert_eq!((read(files, from), read(files, to)), (b"other".to_vec(), b"bytes".to_vec()));
        assert!(files.remove(&[path(from), path(to)]).iter().all(Result::is_ok));
        assert_eq!(names(files), [""; 0]);
    }
}

fn of_many_at_once_one_wins(files: &dyn FileSystem) {
    let is_done = |outcome: &CasOutcome| match outcome {
        CasOutcome::Done(_) => true,
        CasOutcome::Lost => false,
        other => panic!("expected Done or Lost, found {other:?}"),
    };
    let winners = |act: &(dyn Fn(u8) -> CasOutcome + Sync)| -> Vec<u8> {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|thread| (thread, scope.spawn(move || act(thread)))).collect();
            let joined = threads.into_iter().map(|(thread, handle)| (thread, handle.join().unwrap()));
            joined.filter(|(_, outcome)| is_done(outcome)).map(|(thread, _)| thread).collect()
        })
    };
    let published = winners(&|thread| write(files, "d/whole", Visible::WholeAtFinish, &[thread; 100]));
    assert_eq!(published.len(), 1, "{published:?}");
    assert_eq!(read(files, "d/whole"), [published[0]; 100]);
    let head = path("head/HEAD");
    let recorded = winners(&|thread| files.put_record(&head, Bytes::from(vec![thread; 100]), Expect::Absent));
    assert_eq!(recorded.len(), 1, "{recorded:?}");
    let (body, tag) = files.read_record(&head).unwrap().unwrap();
    assert_eq!(body, [recorded[0]; 100][..]);
    let next = winners(&|thread| files.put_record(&head, Bytes::from(vec![thread; 99]), Expect::Version(&tag)));
    assert_eq!(next.len(), 1, "{next:?}");
}

fn records_change_by_compare_and_swap(files: &dyn FileSystem) {
    let head = path("head/HEAD");
    let put = |body: &str, expect: Expect<'_>| files.put_record(&head, Bytes::from(body.to_owned()), expect);
    assert_eq!(files.read_record(&head).unwrap(), None);
    let first = done(put("one", Expect::Absent));
    // The same again is a retry whose answer was lost; something else came too late.
    assert_eq!(done(put("one", Expect::Absent)), first);
    assert!(matches!(put("other", Expect::Absent), CasOutcome::Lost));
    let second = done(put("two", Expect::Version(&first)));
    assert_ne!(first, second);
    assert!(matches!(put("other", Expect::Version(&first)), CasOutcome::Lost));
    assert!(matches!(put("other", Expect::Absent), CasOutcome::Lost));
    assert_eq!(files.read_record(&head).unwrap(), Some((Bytes::from("two"), second.clone())));
    // Many versions later an early one still does not count.
    let mut newest = second;
    for number in 0..40 {
        newest = done(put(&format!("body {number}"), Expect::Version(&newest)));
    }
    assert!(matches!(put("zombie", Expect::Version(&first)), CasOutcome::Lost));
    assert!(matches!(put("zombie", Expect::Absent), CasOutcome::Lost));
    assert_eq!(files.read_record(&head).unwrap(), Some((Bytes::from("body 39"), newest)));
}

fn records_are_listed_and_removed(files: &dyn FileSystem) {
    let (record, other) = (path("head/probe/HEAD"), path("head/HEAD"));
    let kept = done(files.put_record(&other, Bytes::from("kept"), Expect::Absent));
    for _ in 0..2 {
        let first = done(files.put_record(&record, Bytes::from("one"), Expect::Absent));
        done(files.put_record(&record, Bytes::from("two"), Expect::Version(&first)));
        let listed = files.list(record.parent().as_ref(), None, 100).unwrap();
        assert!(!listed.is_empty());
        let listed: Vec<_> = listed.into_iter().map(|entry| entry.path).collect();
        assert!(listed.iter().all(|path| path.as_str().starts_with(record.as_str())), "{listed:?}");
        assert!(files.remove(&listed).iter().all(Result::is_ok));
        assert_eq!(files.list(record.parent().as_ref(), None, 100).unwrap(), []);
        assert_eq!(files.read_record(&record).unwrap(), None);
    }
    assert_eq!(files.read_record(&other).unwrap(), Some((Bytes::from("kept"), kept)));
}
