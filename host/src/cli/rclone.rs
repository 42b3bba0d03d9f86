//! `copal rclone METHOD [JSON]`

use clap::Args;

use super::Global;
use super::ending::Exit;
use crate::edge::interrupt::Interrupt;
use crate::edge::rclone::Rclone;
use crate::error::CopalError;
use crate::show;

#[derive(Debug, Args)]
pub(super) struct RcloneArgs {
    /// The method, for example `core/version` or `config/listremotes`; `rc/list` names them all
    method: String,
    /// Its parameters, as a JSON object
    #[arg(default_value = "{}")]
    parameters: String,
}

pub(super) fn run(args: &RcloneArgs, _: &Global) -> Result<Exit, CopalError> {
    let parameters: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&args.parameters).map_err(CopalError::Json)?;
    let interrupt = Interrupt::listen().map_err(CopalError::Signals)?;
    let reply = Rclone::new(None, &interrupt).call(&args.method, &parameters.into())?;
    show::json(&reply)?;
    Ok(Exit::Done)
}
