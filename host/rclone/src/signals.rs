//! Signals that the worker leaves to its parent.

#![expect(unsafe_code, reason = "handlers beside a Go runtime need SA_ONSTACK")]

use std::ffi::c_int;
use std::io;

/// Keeps SIGINT, SIGTERM and SIGHUP from ending this process.
///
/// A terminal's Ctrl-C and a service manager's stop reach every process of the group. The parent
/// decides what is to be cancelled and cleaned up, and needs a living worker for that; when the
/// parent is gone, the pipe says so. The handlers do nothing rather than being `SIG_IGN`, which
/// the programs that rclone starts (a password command, ssh) would inherit.
pub(crate) fn leave_to_parent() -> io::Result<()> {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        do_nothing_on(signal)?;
    }
    Ok(())
}

extern "C" fn nothing(_signal: c_int) {}

fn do_nothing_on(signal: c_int) -> io::Result<()> {
    // SAFETY: all zeroes is a valid sigaction; the handler is async-signal-safe as it does
    // nothing; SA_ONSTACK as Go demands, whose goroutine stacks are too small for a handler.
    let result = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = nothing as extern "C" fn(c_int) as usize;
        action.sa_flags = libc::SA_ONSTACK | libc::SA_RESTART;
        libc::sigaction(signal, &raw const action, std::ptr::null_mut())
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
