//! What a task receives.

use std::collections::VecDeque;
use std::time::Duration;

use ckpt_core::Result;
use ckpt_core::message::ToTask;
use ckpt_core::snapshot::CheckpointIdentity;
use crossbeam_channel::{Receiver, Sender, bounded, never, select_biased, unbounded};

use crate::error::Fault;
use crate::exchange::{Batch, Output};

/// What a task receives: the batches of all inputs in one queue, and what the engine tells it.
///
/// The queue is bounded and never blocks a sender: each input has a fixed number of credits, the queue has room for all
/// of them. While an input is blocked its batches are kept aside; they hold their credits, so its sender soon waits.
/// That cannot end in a deadlock: an input is blocked only after its barrier came, the inputs whose barrier is missing
/// go on, and so their senders reach the point at which they send it.
#[derive(Debug)]
pub(crate) struct Inbox {
    batches: Receiver<(u32, Batch)>,
    control: Receiver<Control>,
    stop: Receiver<()>,
    /// By input: whom its empty batches go back to.
    credits: Vec<Sender<Batch>>,
    blocked: Vec<bool>,
    /// Batches of inputs that are or were blocked, in the order in which they came.
    aside: VecDeque<(u32, Batch)>,
}

/// What the engine tells a task.
#[derive(Debug)]
pub(crate) enum Control {
    /// The coordinator says so.
    Message(ToTask),
    /// Every task has its state: sources read.
    Begin,
    /// That checkpoint, which is the last one, is committed: end. It says all that the coordinator's own notice says, so
    /// that nobody waits for one that was lost.
    Finish(CheckpointIdentity),
}

/// What came.
#[derive(Debug)]
pub(crate) enum Received {
    /// A batch of that input. Give it back when its records are processed.
    Batch(u32, Batch),
    /// Something from the engine.
    Control(Control),
}

impl Inbox {
    /// An inbox with that many inputs and credits for each, the way for the engine, and the sending ends of its inputs.
    pub(crate) fn new(
        inputs: usize,
        credits_per_input: usize,
        stop: &Receiver<()>,
    ) -> (Self, Sender<Control>, Vec<Output>) {
        let (control_sender, control) = unbounded();
        let (sender, batches) = bounded(inputs * credits_per_input);
        let mut outputs = Vec::with_capacity(inputs);
        let mut credits = Vec::with_capacity(inputs);
        for input in 0..inputs as u32 {
            let (credit_sender, credit_receiver) = bounded(credits_per_input);
            for _ in 0..credits_per_input {
                // There is room for all of them.
                let _ = credit_sender.try_send(Batch::default());
            }
            credits.push(credit_sender);
            outputs.push(Output::new(input, sender.clone(), credit_receiver, stop.clone()));
        }
        let inbox = Self {
            batches,
            control,
            stop: stop.clone(),
            credits,
            blocked: vec![false; inputs],
            aside: VecDeque::new(),
        };
        (inbox, control_sender, outputs)
    }

    /// Waits for what comes next: what the engine says first, then what was kept aside and may be processed now, then
    /// what arrives.
    ///
    /// # Errors
    ///
    /// `Cancelled` when the job is being stopped.
    pub(crate) fn receive(&mut self) -> Result<Received> {
        if let Ok(control) = self.control.try_recv() {
            return Ok(Received::Control(control));
        }
        let free = self.aside.iter().position(|(input, _)| !self.blocked[*input as usize]);
        if let Some((input, batch)) = free.and_then(|index| self.aside.remove(index)) {
            return Ok(Received::Batch(input, batch));
        }
        loop {
            select_biased! {
                recv(self.stop) -> _ => return Err(Fault::Stopped.into()),
                recv(self.control) -> control => {
                    return control.map(Received::Control).map_err(|_| Fault::Stopped.into());
                }
                recv(self.batches) -> batch => {
                    let Ok((input, batch)) = batch else {
                        // Every sender is gone: each has said that it ended, or the engine is about to stop the job.
                        self.batches = never();
                        continue;
                    };
                    if !self.blocked[input as usize] {
                        return Ok(Received::Batch(input, batch));
                    }
                    self.aside.push_back((input, batch));
                }
            }
        }
    }

    /// Waits for what the engine says; batches wait, too.
    ///
    /// # Errors
    ///
    /// `Cancelled` when the job is being stopped.
    pub(crate) fn receive_control(&self) -> Result<Control> {
        select_biased! {
            recv(self.stop) -> _ => Err(Fault::Stopped.into()),
            recv(self.control) -> control => control.map_err(|_| Fault::Stopped.into()),
        }
    }

    /// Waits that long for what the engine says.
    ///
    /// # Errors
    ///
    /// `Cancelled` when the job is being stopped.
    pub(crate) fn receive_control_within(&self, patience: Duration) -> Result<Option<Control>> {
        select_biased! {
            recv(self.stop) -> _ => Err(Fault::Stopped.into()),
            recv(self.control) -> control => control.map(Some).map_err(|_| Fault::Stopped.into()),
            default(patience) => Ok(None),
        }
    }

    /// What the engine said, without waiting.
    ///
    /// # Errors
    ///
    /// `Cancelled` when the job is being stopped.
    pub(crate) fn poll_control(&self) -> Result<Option<Control>> {
        match self.stop.try_recv() {
            Err(crossbeam_channel::TryRecvError::Empty) => Ok(self.control.try_recv().ok()),
            _ => Err(Fault::Stopped.into()),
        }
    }

    /// Gives a processed batch back to its sender.
    pub(crate) fn give_back(&self, input: u32, mut batch: Batch) {
        batch.clear();
        // There is room for every credit of the input; a sender that is gone needs none.
        let _ = self.credits[input as usize].try_send(batch);
    }

    /// Keeps what comes from that input aside from now on.
    pub(crate) fn block(&mut self, input: u32) {
        self.blocked[input as usize] = true;
    }

    /// Processes every input again.
    pub(crate) fn unblock_all(&mut self) {
        self.blocked.fill(false);
    }

    /// How many inputs there are.
    pub(crate) fn inputs(&self) -> u32 {
        self.credits.len() as u32
    }
}
