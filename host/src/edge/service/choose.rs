//! From the configuration's words to a driver.

use std::path::Path;

use copal_core::config::{Service, ServiceCommands, ServiceDriver};

use super::{Commands, ComposeProject, Driver, OneContainer, ServiceError, SystemdUnit};
use crate::edge::docker::DockerHost;

/// The driver of a service. `engine` is what the configuration says of Docker's; commands run in
/// `base`.
pub fn driver(
    service: &Service,
    engine: Option<&Path>,
    base: &Path,
) -> Result<Box<dyn Driver>, ServiceError> {
    Ok(match &service.driver {
        ServiceDriver::Docker { container } => Box::new(OneContainer::new(
            DockerHost::choose(engine)?,
            container.as_str(),
        )),
        ServiceDriver::Compose { project, services } => {
            let services = services.iter().map(ToString::to_string);
            let host = DockerHost::choose(engine)?;
            Box::new(ComposeProject::new(host, project.as_str(), services))
        }
        ServiceDriver::Systemd { unit, user } => Box::new(SystemdUnit::new(unit, *user)),
        ServiceDriver::Command(ServiceCommands {
            stop,
            start,
            state,
            timeout,
            ..
        }) => Box::new(Commands {
            name: service.name.to_string(),
            stop: stop.clone(),
            start: start.clone(),
            state: state.clone(),
            timeout: *timeout,
            base: base.to_owned(),
        }),
    })
}
