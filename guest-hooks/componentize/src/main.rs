//! Makes a component of a core module: `componentize MODULE COMPONENT`.
//!
//! The module must be built from code that wit-bindgen wrote; it carries its interfaces in a
//! section, and imports nothing else, so no adapter is needed.
#![forbid(unsafe_code)]

use std::error::Error;
use std::{env, fs};

use wit_component::ComponentEncoder;

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<_> = env::args_os().skip(1).collect();
    let [module, component] = paths.as_slice() else {
        return Err("usage: componentize MODULE COMPONENT".into());
    };
    let module = fs::read(module)?;
    let bytes = ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .encode()?;
    fs::write(component, bytes)?;
    Ok(())
}
