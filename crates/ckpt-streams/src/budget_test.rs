//! What a budget lets pass, in which order, and what ends a wait.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use ckpt_core::ErrorKind;

use crate::{Budget, Charge, MemoryStreams, StateScope, StreamFactory as _};

#[test]
fn the_limit_is_inclusive_and_what_is_given_back_is_free() {
    let budget = Budget::new(10);
    let account = budget.account();
    let mut first = account.charge(6).unwrap();
    let second = account.try_charge(4).unwrap();
    assert!(account.try_charge(1).is_none());
    assert_eq!((budget.charged_bytes(), budget.limit_bytes()), (10, 10));
    first.give_back(2);
    assert_eq!((first.bytes(), budget.charged_bytes()), (4, 8));
    assert!(account.try_charge(3).is_none());
    drop(account.try_charge(2).unwrap());
    // More than it has is all of it, and the drop gives nothing back again.
    first.give_back(u64::MAX);
    assert_eq!((first.bytes(), budget.charged_bytes()), (0, 4));
    drop(first);
    drop(second);
    assert_eq!(budget.charged_bytes(), 0);
}

#[test]
fn one_piece_of_more_than_the_budget_passes_alone() {
    for limit_bytes in [0, 1, 10] {
        let budget = Budget::new(limit_bytes);
        let account = budget.account();
        let huge = account.charge(u64::MAX).unwrap();
        assert!(account.try_charge(1).is_none(), "{limit_bytes}");
        drop(huge);
        let small = account.try_charge(1).unwrap();
        assert!(account.try_charge(u64::MAX).is_none(), "{limit_bytes}");
        drop(small);
        assert_eq!(budget.charged_bytes(), 0);
    }
}

/// A large piece waits behind those before it, and small ones that come later wait behind the large one.
#[test]
fn nobody_is_overtaken() {
    let budget = Arc::new(Budget::new(10));
    let account = Arc::new(budget.account());
    let first = account.charge(6).unwrap();
    let large = {
        let account = Arc::clone(&account);
        thread::spawn(move || account.charge(10).unwrap())
    };
    until(|| account.try_charge(4).is_none());
    drop(first);
    let large = large.join().unwrap();
    assert_eq!(budget.charged_bytes(), 10);
    drop(large);
    assert!(account.try_charge(4).is_some());
}

#[test]
fn a_cancellation_ends_the_waits_of_its_own_account_and_lets_others_pass() {
    let budget = Budget::new(1);
    let (cancelled, other) = (Arc::new(budget.account()), Arc::new(budget.account()));
    let held = other.charge(1).unwrap();
    let charge = |account: &Arc<crate::BudgetAccount>| {
        let account = Arc::clone(account);
        thread::spawn(move || account.charge(1))
    };
    let waiting = [charge(&cancelled), charge(&other)];
    cancelled.cancel();
    let [first, second] = waiting;
    assert_eq!(first.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    let error = cancelled.charge(1).unwrap_err();
    assert_eq!(error.to_string(), "waiting for 1 bytes of the budget of 1 bytes was cancelled");
    assert!(cancelled.try_charge(0).is_none());
    drop(held);
    drop(second.join().unwrap().unwrap());
    assert_eq!(budget.charged_bytes(), 0);
}

/// Storage that takes nothing for as long as nobody says so, and then everything.
#[test]
fn while_storage_stalls_memory_stays_within_the_budget_and_then_all_is_written() {
    const PIECE: u64 = 1 << 10;
    const PIECES: u64 = 64;
    let budget = Budget::new(8 * PIECE);
    let account = Arc::new(budget.account());
    let (captured, to_write) = channel::<(Charge, Vec<u8>)>();
    let (resume, stalled) = channel::<()>();
    let capturing = thread::spawn({
        let account = Arc::clone(&account);
        move || {
            for _ in 0..PIECES {
                let charge = account.charge(PIECE).unwrap();
                captured.send((charge, vec![0; PIECE as usize])).unwrap();
            }
        }
    });
    let writing = thread::spawn(move || write_all(&stalled, &to_write));
    until(|| budget.charged_bytes() == 8 * PIECE);
    assert!(account.try_charge(1).is_none() && !capturing.is_finished());
    resume.send(()).unwrap();
    capturing.join().unwrap();
    assert_eq!(writing.join().unwrap(), PIECES * PIECE);
    assert_eq!(budget.charged_bytes(), 0);
}

fn write_all(stalled: &Receiver<()>, to_write: &Receiver<(Charge, Vec<u8>)>) -> u64 {
    stalled.recv().unwrap();
    let streams = MemoryStreams::new(usize::MAX);
    let mut stream = streams.create(StateScope::Exclusive).unwrap();
    for (charge, bytes) in to_write {
        stream.write_all(&bytes).unwrap();
        drop((bytes, charge));
    }
    stream.position()
}

/// Waits for what another thread does next.
fn until(done: impl Fn() -> bool) {
    while !done() {
        thread::yield_now();
    }
}
