use std::io::Read;

use super::*;

fn exchange(server: &HttpServer, sent: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream.write_all(sent.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_request_is_remembered_as_it_was_sent() {
    let server = HttpServer::start();
    let answer = exchange(
        &server,
        "POST /a?b=c HTTP/1.1\r\nX-Odd:  one two \r\ncontent-length: 2\r\n\r\n{}",
    );
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let requests = server.requests();
    assert_eq!(server.asked(), ["POST /a?b=c"]);
    assert_eq!(requests[0].header("x-odd"), Some("one two"));
    assert_eq!(requests[0].json(), serde_json::json!({}));
}

#[test]
fn a_body_in_chunks_is_put_together() {
    let server = HttpServer::answering(|request| HttpReply::body(&request.body));
    let answer = exchange(
        &server,
        "PUT / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
    );
    assert!(answer.ends_with("\r\n\r\nabcd"), "{answer}");
}

#[test]
fn a_server_that_keeps_silent_still_ends_when_it_is_dropped() {
    let server = HttpServer::answering(|_| HttpReply::silence());
    let mut stream = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    server.wait_for(1, Duration::from_secs(30)).unwrap();
    drop(server);
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"");
}
