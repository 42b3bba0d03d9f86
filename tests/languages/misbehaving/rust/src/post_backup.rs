//! Misbehaves as `url` says.

use copal_hook_sdk::{Error, PostBackup, Report};

use crate::Hook;
use crate::config::Config;

impl PostBackup for Hook {
    type Config = Config;

    fn run(config: Config, _: &Report) -> Result<(), Error> {
        match config.url.as_deref() {
            Some("throw") => panic!("the sky falls as it was told"),
            Some("loop") => loop {
                std::hint::black_box(());
            },
            Some("memory") => {
                let mut hoard = Vec::new();
                loop {
                    hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
                }
            }
            Some("recursion") => Err(Error::Failed(format!("{}", deeper(1)))),
            other => Err(Error::Invalid(format!("no misdeed: {other:?}"))),
        }
    }
}

#[expect(unconditional_recursion, reason = "it is the misdeed")]
fn deeper(depth: u64) -> u64 {
    std::hint::black_box(deeper(depth + 1)) + depth
}
