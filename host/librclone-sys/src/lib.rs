//! rclone as a C archive: what `go/main.go` exports, declared by hand.
//!
//! Every process that links this has a Go runtime in it, asleep until [`RcloneOpenGate`] is called
//! (see `go/gate/gate.go`). Until then, a call of any other function here waits, for ever.

#![expect(unsafe_code, reason = "a C interface can only be declared unsafe")]

use std::ffi::{c_char, c_int};

/// The version of rclone that is pinned in `go/go.mod`, as `core/version` reports it.
pub const RCLONE_VERSION: &str = env!("RCLONE_VERSION");

/// What [`RcloneRPC`] returns.
#[repr(C)]
#[derive(Debug)]
#[expect(non_snake_case, reason = "the names of the C header")]
pub struct RcloneRPCResult {
    /// A JSON object, ended by NUL; the caller frees it with [`RcloneFreeString`].
    pub Output: *mut c_char,
    /// 200 for success, otherwise an HTTP status.
    pub Status: c_int,
}

/// Takes one log line: slog's level (-4 debug, 0 info, 2 notice, 4 warning, 8 error, more for
/// worse), the stats group of the job it belongs to, the path or remote that it speaks of, and the
/// text. Group and object may be empty. The strings live for the length of the call, which comes on
/// any thread, several at once.
pub type RcloneLogCallback = unsafe extern "C" fn(
    level: c_int,
    group: *const c_char,
    object: *const c_char,
    message: *const c_char,
);

unsafe extern "C" {
    /// Lets rclone's packages initialise. Once in a process, before anything else here.
    pub fn RcloneOpenGate();

    /// Starts logging, the configuration and the accounting. Once in a process.
    pub fn RcloneInitialize();

    /// Collects garbage; rclone has nothing else to end.
    pub fn RcloneFinalize();

    /// Calls `method` with `input`, a JSON object; both end with NUL and stay the caller's.
    pub fn RcloneRPC(method: *const c_char, input: *const c_char) -> RcloneRPCResult;

    /// Frees what [`RcloneRPC`] returned.
    pub fn RcloneFreeString(str: *mut c_char);

    /// Leaves SIGINT and SIGTERM as they are, for good. Before the first copy.
    pub fn RcloneIgnoreSignals();

    /// Sends log lines to `callback` in place of file descriptor 2. After [`RcloneInitialize`].
    pub fn RcloneSetLogCallback(callback: RcloneLogCallback);
}
