//! The phases that a component exports, found once and looked up by number from then on.

use wasmtime::component::{Instance, InstancePre};
use wasmtime::{AsContextMut, Result};

use crate::bindings::exports::copal::hooks::{
    drill, filter, post_backup, post_restore, pre_backup, pre_restore, staged,
};
use crate::call::State;
use crate::{Flaw, Phase};

/// One phase's place in a component, and the functions found there in an instance.
pub(crate) trait Indices: Sized {
    type Functions;

    fn find(pre: &InstancePre<State>) -> Result<Self>;

    /// Fails where a function has another type than the one that is called.
    fn load(&self, store: impl AsContextMut, instance: &Instance) -> Result<Self::Functions>;
}

/// Each phase: its variant and its module, under which its field goes as well.
macro_rules! phases {
    ($($phase:ident $module:ident),+ $(,)?) => {
        /// Where each exported phase is. What a component exports is what it takes part in.
        #[derive(Default)]
        pub(crate) struct Exports {
            $(pub(crate) $module: Option<$module::GuestIndices>,)+
        }

        impl Exports {
            /// Finds the place of each of `phases`.
            pub(crate) fn of(phases: &[Phase], pre: &InstancePre<State>) -> Result<Self, Flaw> {
                let mut exports = Self::default();
                for &phase in phases {
                    match phase {
                        $(Phase::$phase => exports.$module = Some(found(phase, pre)?),)+
                    }
                }
                Ok(exports)
            }

            /// Whether the component takes part in `phase`.
            pub(crate) fn has(&self, phase: Phase) -> bool {
                match phase {
                    $(Phase::$phase => self.$module.is_some(),)+
                }
            }

            /// Compares the types of `phase` with those that are called; what differs.
            pub(crate) fn check(
                &self,
                phase: Phase,
                store: impl AsContextMut,
                instance: &Instance,
            ) -> Result<(), String> {
                match phase {
                    $(Phase::$phase => loads(self.$module.as_ref(), store, instance),)+
                }
            }
        }

        $(impl Indices for $module::GuestIndices {
            type Functions = $module::Guest;

            fn find(pre: &InstancePre<State>) -> Result<Self> {
                Self::new(pre)
            }

            fn load(
                &self,
                store: impl AsContextMut,
                instance: &Instance,
            ) -> Result<Self::Functions> {
                self.load(store, instance)
            }
        })+
    };
}

phases! {
    PreBackup pre_backup,
    Filter filter,
    Staged staged,
    PostBackup post_backup,
    PreRestore pre_restore,
    PostRestore post_restore,
    Drill drill,
}

fn found<I: Indices>(phase: Phase, pre: &InstancePre<State>) -> Result<I, Flaw> {
    I::find(pre).map_err(|error| Flaw::UnfitPhase {
        phase,
        why: format!("{error:#}"),
    })
}

fn loads<I: Indices>(
    indices: Option<&I>,
    store: impl AsContextMut,
    instance: &Instance,
) -> Result<(), String> {
    match indices.map(|indices| indices.load(store, instance)) {
        None | Some(Ok(_)) => Ok(()),
        Some(Err(error)) => Err(format!("{error:#}")),
    }
}
