//! What to do where a job can't be scheduled.

use super::{Ending, failed, usage};
use crate::edge::schedule::ScheduleError;

pub(super) fn of_schedule(error: &ScheduleError) -> Ending {
    match error {
        ScheduleError::Broken { .. } => failed(
            "nothing was changed; remove the lines that begin with `# begin copal` and `# end copal`, and what is between them, by hand, and install it again",
        ),
        ScheduleError::Unwritable(_) => usage(
            "move the configuration, or the program, to a shorter and plainer path, or shorten PATH in the shell that installs it",
        ),
        ScheduleError::NoProgram { program, .. } => failed(format!(
            "install what has `{program}` (`apt install cron`, or a machine that runs systemd), or choose another with `--crontab`, `--cron-d` or `--systemd`"
        )),
        ScheduleError::Refused { .. } => failed(
            "nothing may be started by itself yet: give the command by hand and see what it says, then run this again",
        ),
        ScheduleError::Io { .. } => failed(
            "check that you may write there: `/etc/cron.d` and `/etc/systemd/system` are root's, `--crontab` and `--systemd=user` your own",
        ),
        ScheduleError::NotOurs(_) => failed("look what it is; move it away if it is not needed"),
        ScheduleError::Changed => failed("look at it with `crontab -l`, and run this again"),
        ScheduleError::Carriage => failed(
            "nothing was changed; rewrite it with plain ends of lines (`crontab -e`), or use `--cron-d` or `--systemd`",
        ),
        ScheduleError::Others(_) => usage(
            "give one of the two another `name`, or end the other with `copal schedule remove`",
        ),
        ScheduleError::Zone { .. } => usage(
            "say the time by the machine's clock, or let systemd start it, which knows all zones: `--systemd`",
        ),
        ScheduleError::NoZone { .. } => usage("name one such as `Europe/Berlin` or `UTC`"),
        ScheduleError::Elsewhere(_) => {
            usage("`copal schedule remove` ends that; two schedules of one job would meet")
        }
        ScheduleError::Packaged(timer) => usage(format!(
            "use one of the two: `systemctl disable --now {timer}` ends it, and `systemctl edit {timer}` changes its times"
        )),
        ScheduleError::Renamed { name, .. } => usage(format!(
            "nothing was changed; write `name = \"{name}\"` into it once more, give `copal schedule remove`, and then the new name and this command again"
        )),
        ScheduleError::Jitter => usage("say a shorter `--jitter`, or times that are farther apart"),
        ScheduleError::NoSelf(_) => failed("is /proc mounted here?"),
    }
}
