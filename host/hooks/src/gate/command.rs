//! Commands of the owner's.

use copal_core::grants::{Capability, Need};

use super::sqlite::known;
use super::{Answer, Asked, Gate, name, path};
use crate::{Captured, CommandRequest, Finished, Phase};

impl Gate {
    pub(crate) fn command_run(&mut self, request: &CommandRequest) -> Answer<Finished> {
        let masks = self.masks.clone();
        self.deed(
            asked(request, "run"),
            |host, call| {
                let finished = host.command_run(call, request)?;
                finished.secrets.iter().for_each(|secret| masks.add(secret));
                Ok(finished)
            },
            |finished| format!("exit code {}", finished.exit_code),
        )
    }

    pub(crate) fn command_capture(
        &mut self,
        request: &CommandRequest,
        to: &str,
    ) -> Answer<Captured> {
        let file = path(to);
        let asked = asked(request, "capture")
            .with("path", to)
            .unless(file.clone().err())
            .only_in(Phase::PreBackup);
        let masks = self.masks.clone();
        self.deed(
            asked,
            |host, call| {
                let captured = host.command_capture(call, request, &known(file)?)?;
                captured.secrets.iter().for_each(|secret| masks.add(secret));
                Ok(captured)
            },
            |captured| captured.bytes.to_string(),
        )
    }
}

fn asked(request: &CommandRequest, action: &'static str) -> Asked {
    let mut asked = Asked::of(Capability::Command, action)
        .with("name", &request.name)
        .needing(name(&request.name).map(Need::Command));
    for (name, value) in &request.arguments {
        asked = asked.with(name, value);
    }
    asked
}
