//! Channels: credits bound them, order is kept, blocked inputs wait.

use std::thread;
use std::time::Duration;

use crossbeam_channel::bounded;

use super::*;

fn text(batch: &Batch) -> &str {
    std::str::from_utf8(&batch.bytes).unwrap()
}

fn send(output: &mut Output, record: &str) {
    output.batch().unwrap().bytes.extend_from_slice(record.as_bytes());
    output.flush().unwrap();
}

/// The next batch, which is there or will be.
fn next(inbox: &mut Inbox) -> (u32, Batch) {
    match inbox.receive().unwrap() {
        Received::Batch(input, batch) => (input, batch),
        Received::Control(_) => panic!("expected a batch"),
    }
}

/// Nothing can be processed, however long one waits.
fn expect_none(inbox: &mut Inbox, control: &crossbeam_channel::Sender<Control>) {
    let wake = control.clone();
    let waker = thread::spawn(move || {
        thread::sleep(PATIENCE);
        wake.send(Control::Begin).unwrap();
    });
    assert!(matches!(inbox.receive().unwrap(), Received::Control(_)));
    waker.join().unwrap();
}

/// Waits until so many are sent, and longer: no more come.
fn expect_sent(sent: &crossbeam_channel::Receiver<u8>, count: usize) {
    while sent.len() < count {
        thread::sleep(Duration::from_millis(1));
    }
    thread::sleep(PATIENCE);
    assert_eq!(sent.len(), count);
}

/// How long what must not come is waited for.
const PATIENCE: Duration = Duration::from_millis(50);

#[test]
fn what_a_blocked_input_sends_waits_in_order() {
    let (stop, stopped) = bounded(0);
    let (mut inbox, control, mut outputs) = Inbox::new(2, 3, &stopped);
    let (mut two, mut one) = (outputs.pop().unwrap(), outputs.pop().unwrap());
    inbox.block(0);
    send(&mut one, "a1");
    send(&mut one, "a2");
    send(&mut two, "b1");
    let (input, batch) = next(&mut inbox);
    assert_eq!((input, text(&batch)), (1, "b1"));
    inbox.give_back(input, batch);
    expect_none(&mut inbox, &control);
    inbox.unblock_all();
    send(&mut one, "a3");
    for expected in ["a1", "a2", "a3"] {
        let (input, batch) = next(&mut inbox);
        assert_eq!((input, text(&batch)), (0, expected));
        // It may be blocked again while some still wait.
        inbox.block(0);
        expect_none(&mut inbox, &control);
        inbox.unblock_all();
        inbox.give_back(input, batch);
    }
    drop(stop);
    assert!(inbox.receive().is_err());
}

#[test]
fn a_sender_waits_for_credit_and_stops_with_the_job() {
    let (stop, stopped) = bounded(0);
    let (mut inbox, _control, mut outputs) = Inbox::new(1, 2, &stopped);
    let mut output = outputs.pop().unwrap();
    let (sent, count) = bounded(10);
    let sender = thread::spawn(move || {
        for number in 0..5 {
            output.batch()?.bytes.push(b'0' + number);
            output.flush()?;
            sent.send(number).unwrap();
        }
        // Nothing was given back for these two.
        output.batch().map(drop)
    });
    expect_sent(&count, 2);
    for expected in ["0", "1", "2"] {
        let (input, batch) = next(&mut inbox);
        assert_eq!(text(&batch), expected);
        inbox.give_back(input, batch);
    }
    expect_sent(&count, 5);
    drop(stop);
    assert!(sender.join().unwrap().is_err());
}

#[test]
fn a_tail_comes_behind_its_records_and_a_given_back_batch_is_empty() {
    let (_stop, stopped) = bounded(0);
    let (mut inbox, _control, mut outputs) = Inbox::new(1, 1, &stopped);
    let mut output = outputs.pop().unwrap();
    output.batch().unwrap().bytes.push(b'x');
    output.send_tail(Tail::End).unwrap();
    let Received::Batch(input, batch) = inbox.receive().unwrap() else { panic!() };
    assert!(matches!(batch.tail, Some(Tail::End)) && batch.bytes == b"x");
    inbox.give_back(input, batch);
    let batch = output.batch().unwrap();
    assert!(batch.bytes.is_empty() && batch.keys.is_empty() && batch.tail.is_none());
}
