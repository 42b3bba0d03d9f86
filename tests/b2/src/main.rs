//! A B2 server to point rclone at. It keeps what it is given until it is ended, and no longer.
#![forbid(unsafe_code)]

use std::io::Write;
use std::net::SocketAddr;

use clap::Parser;
use copal_b2_server::B2Server;

/// Backblaze B2's native API at an address of this machine, for trials
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen; port 0 is any that is free
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A bucket to begin with; may be given several times
    #[arg(long)]
    bucket: Vec<String>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let server = B2Server::listen(arguments.listen)?;
    for bucket in &arguments.bucket {
        server.add_bucket(bucket);
    }
    let section = server.rclone_section(&server.master_key());
    let mut stdout = std::io::stdout();
    writeln!(stdout, "[trial]\n{section}")?;
    writeln!(
        stdout,
        "# Put this into rclone.conf; Enter shows what was counted, Ctrl-C ends."
    )?;
    for line in std::io::stdin().lines() {
        line?;
        writeln!(stdout, "{}", server.counters())?;
    }
    // Without a terminal it stays until it is killed.
    loop {
        std::thread::park();
    }
}
