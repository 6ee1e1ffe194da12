//! Help, the manual and completions, as the tools read them that they are for.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use super::run::Tree;

#[test]
fn help_is_printed() {
    let tree = Tree::new();
    let lines = [
        "--help",
        "ls --help",
        "show --help",
        "verify --help",
        "rm --help",
        "gc --help",
        "flink --help",
        "flink dump --help",
        "completions --help",
        "man --help",
    ];
    tree.assert_snapshot("help", &lines);
    assert_eq!(tree.ckpt("--version").stdout, format!("ckpt {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn each_command_has_a_page_of_the_manual() {
    let tree = Tree::new();
    tree.assert_snapshot("man", &["man verify"]);
    for command in ["", "ls", "show", "verify", "rm", "gc", "flink", "flink dump", "completions", "man"] {
        let page = tree.ckpt(&format!("man {command}"));
        let title = ["ckpt"].into_iter().chain(command.split_whitespace()).collect::<Vec<_>>().join("-");
        let version = env!("CARGO_PKG_VERSION");
        let header = format!(".TH {title} 1 \" \" \"ckpt {version}\" \"Manual of ckpt\"\n");
        assert!(page.status == 0 && page.stdout.contains(&header), "{page:?}");
        let arguments = ["--warnings", "-E", "UTF-8", "-l", "-"];
        let Some(shown) = asked("man", &arguments, &page.stdout, &[("MANWIDTH", "100")]) else { continue };
        let text = String::from_utf8(shown.stdout).unwrap();
        assert!(shown.status.success() && shown.stderr.is_empty(), "{}", String::from_utf8_lossy(&shown.stderr));
        assert!(text.trim_start().starts_with(&format!("{title}(1) ")), "{text}");
        assert!(text.contains("\nEXAMPLES\n") && text.contains(&format!("\n       ckpt {command}")), "{text}");
        assert!(text.trim_end().ends_with(&format!(" {title}(1)")), "{text}");
        assert!(text.contains(&format!("\nckpt {version} ")), "{text}");
    }
    let run = tree.ckpt("man flink fly");
    assert_eq!((run.status, run.stderr.as_str()), (2, "ckpt: error: there is no command 'flink fly'\n"));
}

#[test]
fn completions_complete() {
    let tree = Tree::new();
    let script = |shell: &str| {
        let run = tree.ckpt(&format!("completions {shell}"));
        assert!(run.status == 0 && run.stdout.contains("verify"), "{shell}");
        run.stdout
    };
    let (bash, zsh, fish) = (script("bash"), script("zsh"), script("fish"));
    let _ = ["elvish", "powershell"].map(script);
    let words = |output: Output| {
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    for (line, expected) in [("ckpt v", "verify"), ("ckpt flink d", "dump"), ("ckpt ls --str", "--strict")] {
        let word = line.rsplit(' ').next().unwrap();
        let asking = format!(
            "{bash}\nCOMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n\
             _ckpt ckpt {word} \"${{COMP_WORDS[$((COMP_CWORD - 1))]}}\"; echo \"${{COMPREPLY[@]}}\"\n"
        );
        if let Some(output) = asked("bash", &["--norc", "-s"], &asking, &[]) {
            assert_eq!(words(output), [expected], "{line}");
        }
        if let Some(output) = asked("fish", &["--no-config"], &format!("{fish}\ncomplete -C '{line}'\n"), &[]) {
            assert_eq!(words(output)[0], expected, "{line}");
        }
    }
    let asking = format!("autoload -U compinit; compinit -D\n{zsh}\nwhence -w _ckpt\n");
    if let Some(output) = asked("zsh", &["-f", "-s"], &asking, &[]) {
        assert_eq!(words(output), ["_ckpt:", "function"]);
    }
}

/// What a tool answers to what it is given; `None`, with a message, where there is no such tool.
fn asked(tool: &str, arguments: &[&str], input: &str, environment: &[(&str, &str)]) -> Option<Output> {
    let mut command = Command::new(tool);
    command.args(arguments).envs(environment.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        println!("skipped: there is no {tool}");
        return None;
    };
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    Some(output)
}
