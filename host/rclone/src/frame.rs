//! What travels between the program and its worker: JSON, each message after its length in four
//! bytes, little end first.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::log::{LogLevel, LogLine};
use crate::options::{OptionProblem, OptionValue};

/// A listing of a million files is about 200 MB; a longer frame is a broken pipe's noise.
const LONGEST_FRAME: u32 = 1 << 30;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToWorker {
    /// The first message.
    Start(Start),
    /// A call of rclone's remote control, answered with the same id.
    Call {
        id: u64,
        method: String,
        input: Box<RawValue>,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Start {
    /// The sender's process id: the worker ends with it.
    pub(crate) parent: u32,
    pub(crate) options: BTreeMap<String, OptionValue>,
    pub(crate) log_level: LogLevel,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromWorker {
    /// The answer to `Start`: ready for calls.
    Started(Started),
    /// The answer to `Start`: options that rclone does not take.
    BadOptions(Vec<OptionProblem>),
    /// The answer to `Start`: rclone could not be set up.
    NotStarted {
        status: u16,
        output: Box<RawValue>,
    },
    Answer {
        id: u64,
        status: u16,
        output: Box<RawValue>,
    },
    Log(LogLine),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Started {
    /// rclone's option `retries`: how often a copy is tried, at least once.
    pub(crate) attempts: u32,
}

pub(crate) fn write(to: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let body = serde_json::to_vec(message)?;
    let length = u32::try_from(body.len())
        .ok()
        .filter(|&length| length <= LONGEST_FRAME)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a message is too long"))?;
    // One write: two threads' frames can't mix, and no half frame waits in the pipe.
    let mut frame = Vec::with_capacity(body.len() + 4);
    frame.extend_from_slice(&length.to_le_bytes());
    frame.extend_from_slice(&body);
    to.write_all(&frame)?;
    to.flush()
}

/// The next message; `None` when the other side has closed the pipe between two.
pub(crate) fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    if !fill_or_end(from, &mut length)? {
        return Ok(None);
    }
    let length = u32::from_le_bytes(length);
    if length > LONGEST_FRAME {
        let text = format!("a frame of {length} bytes was announced");
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    let mut body = Vec::new();
    let wanted = u64::from(length);
    if from.take(wanted).read_to_end(&mut body)? as u64 != wanted {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(serde_json::from_slice(&body)?))
}

fn fill_or_end(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) if filled == 0 => return Ok(false),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(messages: &[&str]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for message in messages {
            write(&mut bytes, message).unwrap();
        }
        bytes
    }

    #[test]
    fn messages_come_out_as_they_went_in_and_then_the_end() {
        let mut bytes = &framed(&["one", "", "zwei"])[..];
        let mut next = || read::<String>(&mut bytes).unwrap();
        assert_eq!(next().as_deref(), Some("one"));
        assert_eq!(next().as_deref(), Some(""));
        assert_eq!(next().as_deref(), Some("zwei"));
        assert_eq!(next(), None);
    }

    #[test]
    fn a_pipe_cut_anywhere_inside_a_message_is_an_error() {
        let bytes = framed(&["hello"]);
        for cut in 1..bytes.len() {
            assert!(read::<String>(&mut &bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn noise_in_place_of_a_length_is_refused_without_reserving_memory() {
        let error = read::<String>(&mut &b"goroutine 1 [running]"[..]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_call_travels_with_its_input_untouched() {
        let input = r#"{ "fs":":memory:",  "n":12345678901234567890 }"#;
        let call = ToWorker::Call {
            id: 7,
            method: "operations/list".into(),
            input: RawValue::from_string(input.into()).unwrap(),
        };
        let mut bytes = Vec::new();
        write(&mut bytes, &call).unwrap();
        let Some(ToWorker::Call { input: arrived, .. }) = read(&mut &bytes[..]).unwrap() else {
            panic!("not a call");
        };
        assert_eq!(arrived.get(), input);
    }
}
