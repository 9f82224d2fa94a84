//! Runs the program as a user does.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a run of the program gave.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
        Said { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// 0, or 3: so short runs need not be converged.
    #[track_caller]
    pub(crate) fn finished(self) -> Self {
        assert!(self.code == 0 || self.code == 3, "exit {}\n{}\n{}", self.code, self.out, self.err);
        self
    }

    /// The exit code and every one of these texts in the error.
    #[track_caller]
    pub(crate) fn refuses(self, code: i32, texts: &[&str]) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        for text in texts {
            assert!(self.err.contains(text), "no \"{text}\" in:\n{}", self.err);
        }
        self
    }
}

/// The program with arguments.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut c = Command::new(env!("CARGO_BIN_EXE_ergodica"));
    c.args(args).env_remove("ERGODICA_ISA").env_remove("ERGODICA_FAULT").env("NO_COLOR", "1");
    c
}

/// Runs it to its end.
pub(crate) fn ergodica(args: &[&str]) -> Said {
    Said::of(&command(args).output().expect("the program starts"))
}

/// A folder of one's own with a campaign in it: (folder, campaign file).
pub(crate) fn campaign(text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = dir.path().join("campaign.toml");
    std::fs::write(&file, text).expect("a campaign file");
    (dir, file)
}

/// As text.
pub(crate) fn str(path: &Path) -> &str {
    path.to_str().expect("paths of tests are UTF-8")
}

/// `compare --exact` finds nothing.
#[track_caller]
pub(crate) fn equal(a: &Path, b: &Path) {
    let said = ergodica(&["compare", "--exact", str(a), str(b)]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
}

/// `compare --exact` finds a difference.
#[track_caller]
pub(crate) fn differ(a: &Path, b: &Path) {
    let said = ergodica(&["compare", "--exact", str(a), str(b)]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
}
