//! `copal rcd`: rclone's remote control over HTTP, with Copal's commands as methods of it.
//!
//! rclone's worker serves it. For a method of Copal's it runs this program again ([`super::rcd_call`]), so
//! that a run begun over HTTP is a run like any other: with its own lock, holds, guard and record.

use std::ffi::OsString;
use std::thread;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::Global;
use super::ending::Exit;
use super::open::configured;
use super::rcd_call::METHODS;
use crate::edge::interrupt::Interrupt;
use crate::edge::rclone::Rclone;
use crate::error::CopalError;
use crate::show;

/// What rclone's own `rcd` is told by the same flags. Each may come from the environment as well, as in
/// rclone: `RCLONE_RC_USER`, `RCLONE_RC_PASS`, …
#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "these are rclone's names")]
pub(super) struct RcdArgs {
    /// Address and port, or `unix:///PATH`; may be given several times [default: localhost:5572]
    #[arg(long, value_name = "ADDRESS")]
    rc_addr: Vec<String>,
    /// Name of the user
    #[arg(long, value_name = "NAME")]
    rc_user: Option<String>,
    /// Password of the user; other users of this machine can see it here, and not in `RCLONE_RC_PASS`
    #[arg(long, value_name = "PASSWORD")]
    rc_pass: Option<String>,
    /// Users and their passwords, as `htpasswd -B` writes them
    #[arg(long, value_name = "FILE")]
    rc_htpasswd: Option<String>,
    /// Realm of the authentication
    #[arg(long, value_name = "NAME")]
    rc_realm: Option<String>,
    /// TLS certificate, in PEM
    #[arg(long, value_name = "FILE", requires = "rc_key")]
    rc_cert: Option<String>,
    /// The certificate's private key, in PEM
    #[arg(long, value_name = "FILE", requires = "rc_cert")]
    rc_key: Option<String>,
    /// Only clients with a certificate of this authority, in PEM
    #[arg(long, value_name = "FILE")]
    rc_client_ca: Option<String>,
    /// Oldest version of TLS: `tls1.0` to `tls1.3` [default: tls1.0]
    #[arg(long, value_name = "VERSION")]
    rc_min_tls_version: Option<String>,
    /// What all paths begin with
    #[arg(long, value_name = "PATH")]
    rc_baseurl: Option<String>,
    /// Origin whose web pages may call it
    #[arg(long, value_name = "ORIGIN")]
    rc_allow_origin: Option<String>,
    /// How long a finished job is remembered [default: 60s]
    #[arg(long, value_name = "DURATION")]
    rc_job_expire_duration: Option<String>,
    /// No authentication: on loopback addresses and Unix sockets only
    #[arg(long)]
    rc_no_auth: bool,
}

/// Between two looks at a signal.
const LOOK: Duration = Duration::from_millis(100);

/// So many looks, then one whether the worker lives.
const ALIVE: u32 = 10;

pub(super) fn run(args: &RcdArgs, global: &Global) -> Result<Exit, CopalError> {
    let config = match configured(global) {
        Ok(job) => Some(job.config),
        // Any other remote can be asked by its name.
        Err(CopalError::NoConfig { .. }) => None,
        Err(error) => return Err(error),
    };
    let interrupt = Interrupt::listen().map_err(CopalError::Signals)?;
    let rclone = Rclone::new(config.as_ref(), &interrupt);
    let methods = METHODS.map(|method| {
        let help = method.help();
        json!({ "path": method.path, "title": method.title, "help": help })
    });
    let refused = rclone.serve(&args.options(), &words(global), &json!(methods))?;
    if let Some(why) = refused {
        return Err(CopalError::NotServed(why));
    }
    show::result(&args.told())?;
    let mut looks = 0_u32;
    while interrupt.signal().is_none() {
        thread::sleep(LOOK);
        looks += 1;
        if looks.is_multiple_of(ALIVE) {
            rclone.is_well()?;
        }
    }
    // A server is told to end by a signal: there is nothing that it has not done.
    Ok(Exit::Done)
}

impl RcdArgs {
    /// The options by rclone's names, with their values.
    fn options(&self) -> serde_json::Value {
        let one = |value: &Option<String>| value.iter().cloned().collect::<Vec<_>>();
        let all = [
            ("rc_addr", self.rc_addr.clone()),
            ("rc_user", one(&self.rc_user)),
            ("rc_pass", one(&self.rc_pass)),
            ("rc_htpasswd", one(&self.rc_htpasswd)),
            ("rc_realm", one(&self.rc_realm)),
            ("rc_cert", one(&self.rc_cert)),
            ("rc_key", one(&self.rc_key)),
            ("rc_client_ca", one(&self.rc_client_ca)),
            ("rc_min_tls_version", one(&self.rc_min_tls_version)),
            ("rc_baseurl", one(&self.rc_baseurl)),
            ("rc_allow_origin", one(&self.rc_allow_origin)),
            ("rc_job_expire_duration", one(&self.rc_job_expire_duration)),
            (
                "rc_no_auth",
                Vec::from_iter(self.rc_no_auth.then(|| "true".to_owned())),
            ),
        ];
        let said = all.into_iter().filter(|(_, values)| !values.is_empty());
        said.map(|(name, values)| (name.to_owned(), json!(values)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    /// Where it listens.
    fn told(&self) -> String {
        let default = ["localhost:5572".to_owned()];
        let addresses = if self.rc_addr.is_empty() {
            &default[..]
        } else {
            &self.rc_addr
        };
        let scheme = if self.rc_cert.is_some() {
            "https"
        } else {
            "http"
        };
        let base = self.rc_baseurl.as_deref().unwrap_or_default();
        let base = base.trim_matches('/');
        let line = |address: &String| {
            if address.starts_with("unix://") || address.starts_with('/') {
                format!("listening on {address}\n")
            } else {
                format!("listening on {scheme}://{address}/{base}\n")
            }
        };
        addresses.iter().map(line).collect()
    }
}

/// What this program is told before a method's name.
fn words(global: &Global) -> Vec<OsString> {
    let mut words: Vec<OsString> = ["--json", "--quiet"].map(Into::into).into();
    if let Some(config) = &global.config {
        words.extend(["--config".into(), config.into()]);
    }
    words.push("rcd-call".into());
    words
}
