//! What a budget lets pass, in which order, and what ends a wait.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ckpt_core::ErrorKind;

use crate::stream::until;
use crate::{Budget, Charge};

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
    assert_eq!((budget.charged_bytes(), budget.most_charged_bytes()), (0, 10));
}

#[test]
fn one_piece_of_more_than_the_budget_passes_alone() {
    for limit_bytes in [0, 1, 10] {
        let budget = Budget::new(limit_bytes);
        let account = budget.account();
        for piece in [true, false] {
            let huge = if piece { account.charge(u64::MAX).ok() } else { account.try_charge(u64::MAX) };
            assert!(huge.is_some() && account.try_charge(1).is_none(), "{limit_bytes}");
        }
        let small = account.try_charge(1).unwrap();
        assert!(account.try_charge(u64::MAX).is_none(), "{limit_bytes}");
        drop(small);
        assert_eq!(budget.charged_bytes(), 0);
    }
}

/// Captured state never keeps a piece of it from being sent, or nothing would ever be written.
#[test]
fn one_piece_passes_though_captured_state_fills_the_budget() {
    let budget = Arc::new(Budget::new(10));
    let captured = budget.account().try_charge(10).unwrap();
    let mut piece = budget.account().charge(3).unwrap();
    piece.sent();
    assert_eq!(budget.charged_bytes(), 13);
    let second = in_a_thread(&budget, 1);
    until_somebody_waits(&budget);
    assert!(!second.is_finished());
    drop(piece);
    drop(second.join().unwrap());
    drop(captured);
    assert_eq!((budget.charged_bytes(), budget.most_charged_bytes()), (0, 13));
    // What passes alone is counted however much there is besides.
    let captured = budget.account().try_charge(10).unwrap();
    let huge = budget.account().charge(u64::MAX).unwrap();
    assert_eq!(budget.charged_bytes(), u64::MAX);
    drop((captured, huge));
    assert_eq!(budget.charged_bytes(), 0);
}

/// Who collects a piece must never wait for another one: it might be its own.
#[test]
fn nobody_waits_for_itself() {
    let budget = Arc::new(Budget::new(10));
    let account = budget.account();
    let mut first = account.charge(10).unwrap();
    let second = account.charge(10).unwrap();
    assert_eq!(budget.charged_bytes(), 20);
    drop(second);
    // What is sent ends by itself, so it is waited for.
    first.sent();
    let third = thread::spawn(move || account.charge(1).map(|charge| charge.bytes()));
    until_somebody_waits(&budget);
    assert!(!third.is_finished());
    drop(first);
    assert_eq!(third.join().unwrap().unwrap(), 1);
}

/// One thread that collects pieces of two checkpoints, of which neither can be sent before it goes on.
#[test]
fn what_nobody_sends_is_not_waited_for_for_ever() {
    let budget = Arc::new(Budget::new(10));
    let (done, is_done) = channel();
    let writer = thread::spawn({
        let budget = Arc::clone(&budget);
        move || {
            let pieces: Vec<Charge> = (0..3).map(|_| budget.account().charge(10).unwrap()).collect();
            done.send(budget.charged_bytes()).unwrap();
            drop(pieces);
        }
    });
    assert_eq!(is_done.recv_timeout(Duration::from_secs(60)), Ok(30));
    writer.join().unwrap();
    assert_eq!(budget.charged_bytes(), 0);
}

/// A large piece waits behind those before it, and small ones that come later wait behind the large one.
#[test]
fn nobody_is_overtaken() {
    let budget = Arc::new(Budget::new(10));
    let mut first = budget.account().charge(6).unwrap();
    first.sent();
    let large = in_a_thread(&budget, 10);
    until_somebody_waits(&budget);
    assert!(budget.account().try_charge(4).is_none());
    drop(first);
    let large = large.join().unwrap();
    assert_eq!(budget.charged_bytes(), 10);
    drop(large);
    assert!(budget.account().try_charge(4).is_some());
}

#[test]
fn a_cancellation_ends_the_waits_of_its_own_account_and_lets_others_pass() {
    let budget = Arc::new(Budget::new(1));
    let held = budget.account().charge(1).unwrap();
    let cancelled = Arc::new(budget.account());
    let first = thread::spawn({
        let cancelled = Arc::clone(&cancelled);
        move || cancelled.charge(1)
    });
    let second = in_a_thread(&budget, 1);
    cancelled.cancel();
    assert_eq!(first.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    let error = cancelled.charge(1).unwrap_err();
    assert_eq!(error.to_string(), "waiting for 1 bytes of the budget of 1 bytes was cancelled");
    assert!(cancelled.try_charge(0).is_none());
    drop(held);
    drop(second.join().unwrap());
    assert_eq!(budget.charged_bytes(), 0);
}

/// Charges on behalf of somebody else.
fn in_a_thread(budget: &Arc<Budget>, bytes: u64) -> JoinHandle<Charge> {
    let account = budget.account();
    thread::spawn(move || account.charge(bytes).unwrap())
}

fn until_somebody_waits(budget: &Budget) {
    until(|| budget.waiting() > 0);
}
