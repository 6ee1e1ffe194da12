//! The commit, model-checked: every order of the steps of leaders, of crashes and of requests that come late, twice or
//! never, over the transitions of HEAD, the registry of shared files, the rule for orphans and the decisions of the store
//! that ship. `ARCHITECTURE.md` says what is covered and what is not.

mod configuration;
mod estate;
mod fresh_start;
mod history;
mod leader;
mod ownership;
mod properties;
mod report;
mod rules;
mod savepoint;
mod scene;
mod show;
mod store;
mod swap;
mod world;

fn main() -> std::process::ExitCode {
    report::main()
}
