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

/// The next batch; `None` when none can be processed.
fn next(inbox: &mut Inbox, control: &crossbeam_channel::Sender<Control>) -> Option<(u32, Batch)> {
    let wake = control.clone();
    let waker = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        wake.send(Control::Begin).unwrap();
    });
    let mut found = None;
    loop {
        match inbox.receive().unwrap() {
            Received::Batch(input, batch) if found.is_none() => found = Some((input, batch)),
            Received::Batch(..) => panic!("more than one batch"),
            Received::Control(_) => break,
        }
        if found.is_some() {
            // The waker's word is still to come.
            waker.join().unwrap();
            assert!(inbox.poll_control().unwrap().is_some());
            return found;
        }
    }
    waker.join().unwrap();
    found
}

#[test]
fn what_a_blocked_input_sends_waits_in_order() {
    let (stop, stopped) = bounded(0);
    let (mut inbox, control, mut outputs) = Inbox::new(2, 3, &stopped);
    let (mut two, mut one) = (outputs.pop().unwrap(), outputs.pop().unwrap());
    inbox.block(0);
    send(&mut one, "a1");
    send(&mut one, "a2");
    send(&mut two, "b1");
    let (input, batch) = next(&mut inbox, &control).unwrap();
    assert_eq!((input, text(&batch)), (1, "b1"));
    inbox.give_back(input, batch);
    assert!(next(&mut inbox, &control).is_none());
    inbox.unblock_all();
    send(&mut one, "a3");
    for expected in ["a1", "a2", "a3"] {
        let (input, batch) = next(&mut inbox, &control).unwrap();
        assert_eq!((input, text(&batch)), (0, expected));
        // It may be blocked again while some still wait.
        inbox.block(0);
        assert!(next(&mut inbox, &control).is_none());
        inbox.unblock_all();
        inbox.give_back(input, batch);
    }
    drop(stop);
    assert!(inbox.receive().is_err());
}

#[test]
fn a_sender_waits_for_credit_and_stops_with_the_job() {
    let (stop, stopped) = bounded(0);
    let (mut inbox, control, mut outputs) = Inbox::new(1, 2, &stopped);
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
    thread::sleep(Duration::from_millis(50));
    assert_eq!(count.len(), 2);
    for expected in ["0", "1", "2"] {
        let (input, batch) = next(&mut inbox, &control).unwrap();
        assert_eq!(text(&batch), expected);
        inbox.give_back(input, batch);
    }
    thread::sleep(Duration::from_millis(50));
    assert_eq!(count.len(), 5);
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
