//! Directories that a hook may open files in.

use std::path::PathBuf;

use copal_core::grants::{Capability, Need, Tree};

use super::{Answer, Asked, Gate};
use crate::Phase;

impl Gate {
    /// The directories that are in force in this phase. A hook does not ask for them: they are
    /// there, or they are not.
    pub(crate) fn trees(&mut self) -> Answer<Vec<(Tree, PathBuf)>> {
        let mut trees = Vec::new();
        for tree in Tree::ALL {
            let in_phase = match tree {
                Tree::Source => self.phase != Phase::Filter,
                Tree::Staging => self.phase == Phase::PreBackup,
            };
            if !in_phase || self.capabilities.is_none() || !self.in_force.cover(&Need::Tree(tree)) {
                continue;
            }
            let asked = Asked::of(Capability::Files, "open")
                .with("tree", tree.name())
                .needing(Ok(Need::Tree(tree)));
            let found = self.deed(
                asked,
                |host, call| host.tree(call, tree),
                |directory| match directory {
                    Some(_) => format!("/{tree}"),
                    None => "there is none in this phase".to_owned(),
                },
            )?;
            match found {
                Ok(directory) => trees.extend(directory.map(|directory| (tree, directory))),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(trees))
    }
}
