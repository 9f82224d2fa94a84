//! Who asks, and so what a setting is called in a message.

/// Where a request was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asked {
    /// On the command line: `--temperature "300 K"`.
    #[default]
    CommandLine,
    /// In a stage of a campaign: `temperature = "300 K"`.
    Campaign,
}

impl Asked {
    /// What a setting is called: `--discard`, or `discard`.
    pub(crate) fn name(self, setting: &str) -> String {
        match self {
            Asked::CommandLine => format!("--{setting}"),
            Asked::Campaign => setting.to_owned(),
        }
    }

    /// How it is written with a value.
    pub(crate) fn set(self, setting: &str, value: &str) -> String {
        match self {
            Asked::CommandLine => format!("--{setting} \"{value}\""),
            Asked::Campaign => format!("{setting} = \"{value}\""),
        }
    }

    /// How files of two legs are written.
    pub(super) fn legs(self) -> &'static str {
        match self {
            Asked::CommandLine => "--leg NAME=FILES --leg NAME=FILES",
            Asked::Campaign => "legs = { NAME = [\"FILE\", ..], NAME = [\"FILE\", ..] }",
        }
    }
}
