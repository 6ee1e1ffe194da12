//! What may be sent to other threads and shared by them is part of the interface.

#![cfg(not(ckpt_loom))]

use ckpt_streams::file_system::{FileSystem, FileSystems, FileWriter, LocalFileSystem, ReadAt};
use ckpt_streams::{
    Budget, BudgetAccount, Charge, DuplicatingStream, FileNames, FileStateReader, FileStreams, KeyGroupSection,
    KeyGroupSections, KeyGroupsStream, MemoryStreams, MetadataStream, MetadataTarget, PartitionsStream, Pending, Pool,
    Promise, RawStateStreams, ReadAhead, ReadOptions, SnapshotResult, SnapshotStream, Spawn, Staged, StagedDescriptors,
    StateDirectory, StateInputStream, StateOutputStream, StateReader, StreamFactory,
};

fn send<T: Send + ?Sized>() {}
fn send_and_sync<T: Send + Sync + ?Sized>() {}
fn unpin<T: Unpin>() {}

#[test]
fn shared_by_threads() {
    send_and_sync::<FileSystems>();
    send_and_sync::<LocalFileSystem>();
    send_and_sync::<FileNames>();
    send_and_sync::<FileStreams>();
    send_and_sync::<MemoryStreams>();
    send_and_sync::<MetadataTarget>();
    send_and_sync::<FileStateReader>();
    send_and_sync::<ReadOptions>();
    send_and_sync::<ReadAhead>();
    send_and_sync::<StateDirectory>();
    send_and_sync::<Pool>();
    send_and_sync::<StagedDescriptors>();
    send_and_sync::<Budget>();
    send_and_sync::<BudgetAccount>();
    send_and_sync::<dyn FileSystem>();
    send_and_sync::<dyn ReadAt>();
    send_and_sync::<dyn Spawn>();
    send_and_sync::<dyn StateReader>();
    send_and_sync::<dyn StreamFactory>();
}

#[test]
fn given_to_another_thread() {
    send_and_sync::<Staged>();
    send::<Charge>();
    send::<Pending<u8>>();
    send::<Promise<u8>>();
    unpin::<Pending<u8>>();
    send::<DuplicatingStream>();
    send::<SnapshotStream>();
    send::<SnapshotResult<Staged>>();
    send::<KeyGroupsStream>();
    send::<PartitionsStream>();
    send::<RawStateStreams<'_>>();
    send::<MetadataStream>();
    send::<dyn FileWriter>();
    send::<dyn StateOutputStream>();
    send::<dyn StateInputStream>();
    send::<KeyGroupSections>();
    send::<KeyGroupSection<'_>>();
}
