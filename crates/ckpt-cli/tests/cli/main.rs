//! The command as people and programs run it: its output, its exit status, and what it does with damage.

mod compare;
mod documented;
mod dump;
mod errors;
mod flink_tree;
mod gc;
mod heads;
mod help;
mod ls;
mod made;
mod marks;
mod memory;
mod moved;
mod oddities;
mod our_tree;
mod paths;
mod rm;
mod run;
mod show;
mod statuses;
mod terminal;
mod verify;
