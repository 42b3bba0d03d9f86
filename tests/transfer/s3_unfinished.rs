//! Uploads to S3 that were begun in parts by runs that were killed.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::cloud::BUCKET;
use crate::place::{Kind, Place};

/// Begins one, as somebody does who is killed then.
fn begin(address: &str, key: &str) {
    let signed = "Authorization: AWS4-HMAC-SHA256 \
        Credential=tests/20261127/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
    let head = format!(
        "POST /{BUCKET}/{key}?uploads HTTP/1.0\r\nHost: {address}\r\n{signed}\r\nContent-Length: 0\r\n\r\n"
    );
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("UploadId"), "{answer}");
}

#[test]
fn of_uploads_to_s3_that_were_never_finished_only_old_ones_of_a_directory_are_ended() {
    let Some(place) = Place::new(Kind::S3, false) else {
        return;
    };
    let address = place.s3_origin().unwrap().trim_start_matches("http://");
    for key in [
        "backups/app/2026-11-01T000000Z/large.bin",
        "backups/app/2026-11-01T000000Z/deep/other.bin",
        "backups/app-2/2026-11-01T000000Z/large.bin",
        "backups/app",
        "elsewhere.bin",
    ] {
        begin(address, key);
    }
    let end = |seconds: u64| {
        let request = json!({ "fs": format!("cloud:{BUCKET}/backups/app/"), "seconds": seconds });
        place.rclone("copal/end-unfinished", &request)["ended"].as_u64()
    };
    // The server says of each that it was begun in 2010.
    assert_eq!(end(3_153_600_000), Some(0));
    assert_eq!(place.unfinished().len(), 5);
    assert_eq!(end(0), Some(2));
    let left = place.unfinished();
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(
        !left.iter().any(|it| it.contains("backups/app/")),
        "{left:?}"
    );
}
