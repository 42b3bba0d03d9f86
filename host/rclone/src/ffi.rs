//! The C interface of rclone made safe. Only the worker process may come here.

#![expect(unsafe_code, reason = "the C interface of rclone")]

use std::ffi::{CStr, CString, c_char, c_int};
use std::sync::OnceLock;

use librclone_sys as sys;

use crate::log::{LogLevel, LogLine};

/// rclone, awake in this process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Library(());

/// What a call answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// 200 for success, otherwise an HTTP status.
    pub(crate) status: u16,
    /// A JSON object.
    pub(crate) output: String,
}

type LogSink = Box<dyn Fn(LogLine) + Send + Sync>;

static LOG_SINK: OnceLock<LogSink> = OnceLock::new();

#[expect(clippy::unused_self, reason = "it proves that rclone is awake")]
impl Library {
    /// Wakes rclone in this process, which can't be undone.
    pub(crate) fn wake() -> Self {
        // SAFETY: takes no arguments, and opening the gate twice is harmless.
        unsafe { sys::RcloneOpenGate() };
        Self(())
    }

    /// Starts rclone's logging, configuration and accounting. Options that these read have to be
    /// set before. Only the first call's `sink` is used.
    pub(crate) fn initialize(self, sink: impl Fn(LogLine) + Send + Sync + 'static) {
        if LOG_SINK.set(Box::new(sink)).is_err() {
            return;
        }
        // SAFETY: the gate is open (`self` proves it), and the branch above makes this the only
        // time. `on_log` is a function of the declared type that lives for ever.
        unsafe {
            sys::RcloneInitialize();
            sys::RcloneIgnoreSignals();
            sys::RcloneSetLogCallback(on_log);
        }
    }

    /// Calls a method of rclone's remote control and waits for its end.
    pub(crate) fn call(self, method: &str, input: &str) -> Answer {
        let (Ok(method), Ok(input)) = (CString::new(method), CString::new(input)) else {
            return Answer {
                status: 400,
                output: r#"{"error":"a NUL in the request"}"#.into(),
            };
        };
        // SAFETY: the gate is open, and both strings end with NUL and outlive the call.
        let result = unsafe { sys::RcloneRPC(method.as_ptr(), input.as_ptr()) };
        // SAFETY: rclone returns a string that ends with NUL and is ours until freed.
        let output = unsafe { text(result.Output) };
        // SAFETY: freed once, by the allocator it came from.
        unsafe { sys::RcloneFreeString(result.Output) };
        Answer {
            status: u16::try_from(result.Status).unwrap_or(500),
            output,
        }
    }
}

unsafe extern "C" fn on_log(
    level: c_int,
    group: *const c_char,
    object: *const c_char,
    message: *const c_char,
) {
    let Some(sink) = LOG_SINK.get() else { return };
    // SAFETY: the three strings end with NUL and live for the length of this call.
    let (group, object, text) = unsafe { (text(group), text(object), text(message)) };
    sink(LogLine {
        level: LogLevel::from_slog(level),
        group,
        object,
        text,
    });
}

/// # Safety
/// `string` is null or points to bytes that end with NUL and live for the length of the call.
unsafe fn text(string: *const c_char) -> String {
    if string.is_null() {
        return String::new();
    }
    // SAFETY: not null, and the rest is the caller's promise.
    let bytes = unsafe { CStr::from_ptr(string) };
    bytes.to_string_lossy().into_owned()
}
