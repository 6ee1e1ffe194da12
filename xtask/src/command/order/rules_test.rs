//! Traces that are in order, and for each rule one that is not.

use std::path::Path;

use super::super::event::events;
use super::super::strace::calls;
use super::*;

/// A checkpoint as it should be: one state file, one file of output, `_metadata`, HEAD, notice.
const GOOD: &[&str] = &[
    "1 mkdir(\"/c/job\", 0700) = 0",
    "1 fsync(3</c>) = 0",
    "9 openat(AT_FDCWD</>, \"/c/output/.writing\", O_WRONLY|O_CREAT|O_EXCL, 0666) = 10</c/output/.writing>",
    "9 write(10</c/output/.writing>, \"w\", 1) = 1",
    "1 mkdirat(4</c/job>, \"head\", 0700) = 0",
    "2 write(2</dev/null>, \"ckpt-phase writing-state 1\\n\", 27) = 27",
    "2 mkdirat(4</c/job>, \"chk-1\", 0700) = 0",
    "2 openat2(4</c/job>, \"chk-1/a\", {flags=O_WRONLY|O_CREAT|O_EXCL, mode=0600}, 24) = 5</c/job/chk-1/a>",
    "2 write(5</c/job/chk-1/a>, \"x\"..., 65536) = 65536",
    "2 write(2</dev/null>, \"ckpt-phase sealing 1\\n\", 21) = 21",
    "3 fsync(5</c/job/chk-1/a>) = 0",
    "2 fsync(6</c/job/chk-1>) = 0",
    "2 fsync(4</c/job>) = 0",
    "2 fsync(10</c/output/.writing>) = 0",
    "2 rename(\"/c/output/.writing\", \"/c/output/staged\") = 0",
    "2 fsync(11</c/output>) = 0",
    "2 write(2</dev/null>, \"ckpt-phase acknowledging 1\\n\", 27) = 27",
    "1 write(2</dev/null>, \"ckpt-phase publishing 1\\n\", 24) = 24",
    "1 openat2(4</c/job>, \"chk-1/.t\", {flags=O_WRONLY|O_CREAT|O_EXCL, mode=0600}, 24) = 7</c/job/chk-1/.t>",
    "1 write(7</c/job/chk-1/.t>, \"m\", 1) = 1",
    "1 fsync(7</c/job/chk-1/.t>) = 0",
    "1 linkat(6</c/job/chk-1>, \".t\", 6</c/job/chk-1>, \"_metadata\", 0) = 0",
    "1 fsync(6</c/job/chk-1>) = 0",
    "1 write(2</dev/null>, \"ckpt-phase writing-head 1\\n\", 26) = 26",
    "1 openat2(4</c/job>, \"head/.t\", {flags=O_WRONLY|O_CREAT|O_EXCL, mode=0600}, 24) = 8</c/job/head/.t>",
    "1 write(8</c/job/head/.t>, \"h\", 1) = 1",
    "1 fsync(8</c/job/head/.t>) = 0",
    "1 linkat(9</c/job/head>, \".t\", 9</c/job/head>, \"HEAD-1\", 0) = 0",
    "1 fsync(9</c/job/head>) = 0",
    "1 fsync(4</c/job>) = 0",
    "1 write(2</dev/null>, \"ckpt-phase notifying 1\\n\", 23) = 23",
];

fn judge(lines: &[&str]) -> Verdict {
    check(&events(&calls(&lines.join("\n")), Path::new("/c")))
}

/// What is found when the lines with these numbers are left out.
fn without(numbers: &[usize]) -> Vec<String> {
    let kept = GOOD.iter().enumerate().filter(|(number, _)| !numbers.contains(number)).map(|(_, line)| *line);
    judge(&kept.collect::<Vec<_>>()).violations
}

/// What is found when a line stands behind another one instead.
fn moved(line: usize, behind: usize) -> Vec<String> {
    let mut lines = GOOD.to_vec();
    let text = lines.remove(line);
    lines.insert(behind, text);
    judge(&lines).violations
}

fn only(violations: Vec<String>, expected: &str) {
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert!(violations[0].contains(expected), "{violations:?}");
}

#[test]
fn a_trace_in_order_passes_and_everything_was_looked_at() {
    let verdict = judge(GOOD);
    assert_eq!(verdict.violations, Vec::<String>::new());
    assert!(verdict.counts().iter().all(|(_, times)| *times == 1), "{verdict}");
}

#[test]
fn a_state_file_that_is_not_synced_is_found() {
    only(without(&[10]), "the bytes of /c/job/chk-1/a are not synced");
    only(moved(10, 16), "the bytes of /c/job/chk-1/a are not synced");
}

#[test]
fn a_write_behind_the_sync_is_found() {
    only(moved(8, 10), "the bytes of /c/job/chk-1/a are not synced");
}

#[test]
fn a_directory_that_is_not_synced_before_the_acknowledgement_is_found() {
    only(without(&[11]), "the name /c/job/chk-1/a is not synced");
}

#[test]
fn a_new_parent_that_is_not_synced_is_found() {
    // The last sync of the job's directory comes too late for the acknowledgement and for the HEAD write.
    let violations = without(&[12]);
    assert_eq!(violations.len(), 2, "{violations:?}");
    assert!(violations.iter().all(|violation| violation.contains("the name /c/job/chk-1 is not synced")));
    assert!(!without(&[1]).is_empty());
}

#[test]
fn staged_output_that_is_not_durable_before_the_acknowledgement_is_found() {
    only(without(&[13]), "the bytes of /c/output/staged are not synced");
    only(without(&[15]), "the name /c/output/staged is not synced");
}

#[test]
fn metadata_that_is_not_durable_before_head_is_found() {
    only(without(&[20]), "`_metadata` of checkpoint 1 is published while its bytes are not synced");
    only(without(&[21]), "begins before `_metadata` is published");
    only(without(&[22]), "the name /c/job/chk-1/_metadata is not synced");
    only(moved(22, 23), "the name /c/job/chk-1/_metadata is not synced");
}

#[test]
fn a_head_that_is_not_durable_before_a_notice_is_found() {
    only(without(&[26]), "HEAD-1 is named while its bytes are not synced");
    only(without(&[27]), "announced before its HEAD is written");
    only(without(&[28]), "/c/job/head/HEAD-1 is not synced");
    only(moved(30, 27), "announced before its HEAD is written");
    only(without(&[29, 12, 6]), "announced while /c/job/head is not synced");
}

#[test]
fn a_sync_that_had_not_ended_does_not_count() {
    let mut lines = GOOD.to_vec();
    lines[10] = "3 fsync(5</c/job/chk-1/a> <unfinished ...>";
    lines.insert(17, "3 <... fsync resumed>) = 0");
    only(judge(&lines).violations, "the bytes of /c/job/chk-1/a are not synced");
}
