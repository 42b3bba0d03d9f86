use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use copal_hooks::SecretBytes;
use copal_testkit::{HttpReply, HttpServer};

use super::super::kit::Floor;
use super::*;

const SOON: Duration = Duration::from_millis(300);

fn get(url: &str) -> HttpRequest {
    let after_scheme = url.find("://").unwrap() + 3;
    let slash = url[after_scheme..]
        .find('/')
        .map_or(url.len(), |at| after_scheme + at);
    HttpRequest {
        method: "GET".parse().unwrap(),
        origin: url[..slash].parse().unwrap(),
        path: match &url[slash..] {
            "" => "/".to_owned(),
            path => path.to_owned(),
        },
        secret_path: None,
        private: false,
        headers: Vec::new(),
        secret_headers: Vec::new(),
        body: Vec::new(),
    }
}

fn post(url: &str, body: &[u8]) -> HttpRequest {
    HttpRequest {
        method: "POST".parse().unwrap(),
        body: body.to_vec(),
        ..get(url)
    }
}

/// `evil.example` leads to wherever is said.
fn leads_to(address: &'static str) -> Lookup {
    Lookup::by(move |_| Ok(address.split(' ').map(|one| one.parse().unwrap()).collect()))
}

fn sent(request: &HttpRequest) -> Result<HttpResponse, CapabilityError> {
    let floor = Floor::with("");
    send(&Lookup::default(), &floor.call(), request)
}

/// A server that does what is said to each connection.
fn serve(what: impl Fn(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || listener.incoming().for_each(|stream| what(stream.unwrap())));
    origin
}

#[test]
fn a_request_arrives_with_what_the_hook_said_and_the_answer_comes_back_whole() {
    let server = HttpServer::answering(|_| HttpReply::status(207));
    let mut request = post(&server.url("/a?x=1"), b"hello");
    request.headers.push(("x-own".to_owned(), b"mine".to_vec()));
    request
        .secret_headers
        .push(("authorization".to_owned(), SecretBytes::new("Bearer hush")));
    assert_eq!(sent(&request).unwrap().status, 207);
    let [arrived] = server.requests().try_into().unwrap();
    assert_eq!(
        (arrived.method.as_str(), arrived.target.as_str()),
        ("POST", "/a?x=1")
    );
    assert_eq!(arrived.body, b"hello");
    assert_eq!(arrived.header("x-own"), Some("mine"));
    assert_eq!(arrived.header("authorization"), Some("Bearer hush"));
    assert_eq!(arrived.header("content-length"), Some("5"));
    assert_eq!(
        arrived.header("host"),
        server.origin().strip_prefix("http://")
    );
}

#[test]
fn a_redirect_is_an_answer_and_is_not_followed() {
    let other = HttpServer::start();
    let to = other.url("/secret");
    let server = HttpServer::answering(move |_| HttpReply::redirect(302, &to));
    let answer = sent(&get(&server.url("/"))).unwrap();
    assert_eq!(answer.status, 302);
    assert!(answer.headers.iter().any(|(name, _)| name == "location"));
    assert!(other.requests().is_empty());
}

#[test]
fn a_name_that_leads_to_a_private_address_is_refused_and_nothing_is_connected_to() {
    let floor = Floor::with("");
    let server = HttpServer::start();
    let port = server.origin().rsplit(':').next().unwrap().to_owned();
    for address in [
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "169.254.169.254",
        "fd00::1",
        "100.64.0.1",
    ] {
        let request = get(&format!("http://evil.example:{port}"));
        let refused = send(&leads_to(address), &floor.call(), &request);
        assert_eq!(
            refused,
            Err(CapabilityError::Private(address.parse().unwrap()))
        );
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_name_that_may_be_private_is_looked_up_once_and_what_was_looked_up_is_connected_to() {
    let floor = Floor::with("");
    let server = HttpServer::start();
    let port = server.origin().rsplit(':').next().unwrap().to_owned();
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = std::sync::Arc::clone(&asked);
    let lookup = Lookup::by(move |name| {
        assert_eq!(name, "evil.example");
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Ok(vec![Ipv4Addr::LOCALHOST.into()])
    });
    let request = HttpRequest {
        private: true,
        ..get(&format!("http://evil.example:{port}"))
    };
    assert_eq!(send(&lookup, &floor.call(), &request).unwrap().status, 200);
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 1);
    let [arrived] = server.requests().try_into().unwrap();
    assert_eq!(
        arrived.header("host"),
        Some(format!("evil.example:{port}").as_str())
    );
}

#[test]
fn of_a_name_with_several_addresses_the_private_ones_are_left_out() {
    let floor = Floor::with("");
    let request = get("http://evil.example");
    let found = addresses(&leads_to("127.0.0.1 1.1.1.1"), &request).unwrap();
    assert_eq!(found, ["1.1.1.1:80".parse().unwrap()]);
    drop(floor);
}

#[test]
fn a_dropped_connection_is_a_failure() {
    for bytes in [
        &b""[..],
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
        b"no http at all\r\n\r\n",
    ] {
        let origin = serve(move |mut stream| {
            // It may be gone before it hears this.
            drop(stream.write_all(bytes));
        });
        let failed = sent(&get(&origin));
        assert!(
            matches!(failed, Err(CapabilityError::Failed(_))),
            "{failed:?}"
        );
    }
}

#[test]
fn a_server_that_can_not_prove_who_it_is_is_a_failure() {
    let origin = serve(|mut stream| drop(stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")));
    let failed = sent(&get(&origin.replace("http://", "https://")));
    assert!(
        matches!(failed, Err(CapabilityError::Failed(_))),
        "{failed:?}"
    );
}

#[test]
fn a_proxy_in_the_environment_is_not_asked() {
    // Each reads the environment when it is made; this one must not.
    let agent = agent(Vec::new(), SOON);
    assert!(agent.config().proxy().is_none());
}

#[test]
fn nobody_at_a_port_is_a_failure() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    assert!(matches!(
        sent(&get(&origin)),
        Err(CapabilityError::Failed(_))
    ));
}

#[test]
fn a_slow_server_is_given_up_in_time() {
    let silent = serve(std::mem::forget);
    let dripping = serve(|mut stream| {
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n"));
        while stream.write_all(b".").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    for origin in [silent, dripping] {
        let mut floor = Floor::with("");
        floor.limits.http_wall = SOON;
        let began = Instant::now();
        let late = send(&Lookup::default(), &floor.call(), &get(&origin));
        assert!(
            matches!(late, Err(CapabilityError::TimedOut(_))),
            "{late:?}"
        );
        assert!(began.elapsed() < SOON * 5, "{:?}", began.elapsed());
    }
}

#[test]
fn a_lookup_that_hangs_is_given_up_in_time() {
    let mut floor = Floor::with("");
    floor.limits.http_wall = SOON;
    let lookup = Lookup::by(|_| {
        thread::sleep(Duration::from_mins(1));
        Ok(Vec::new())
    });
    let began = Instant::now();
    let late = send(&lookup, &floor.call(), &get("http://evil.example"));
    assert!(
        matches!(late, Err(CapabilityError::TimedOut(_))),
        "{late:?}"
    );
    assert!(began.elapsed() < SOON * 5, "{:?}", began.elapsed());
}

#[test]
fn a_cancelled_request_is_given_up() {
    let floor = Floor::with("");
    let silent = serve(std::mem::forget);
    floor.cancel.cancel();
    let ended = send(&Lookup::default(), &floor.call(), &get(&silent));
    assert_eq!(ended, Err(CapabilityError::Interrupted));
}

#[test]
fn a_body_beyond_the_limit_is_refused_on_both_ways() {
    let mut floor = Floor::with("");
    floor.limits.http_body = ByteCount(10);
    let server =
        HttpServer::answering(|request| HttpReply::body(&b"0123456789x"[..request.body.len()]));
    let ask = |body: &[u8]| {
        send(
            &Lookup::default(),
            &floor.call(),
            &post(&server.url("/"), body),
        )
    };
    assert_eq!(ask(b"0123456789").unwrap().body, b"0123456789");
    assert!(matches!(
        ask(b"0123456789x"),
        Err(CapabilityError::Invalid(_))
    ));
    let endless = serve(|mut stream| {
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n"));
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let too_large = send(&Lookup::default(), &floor.call(), &get(&endless));
    assert!(
        matches!(too_large, Err(CapabilityError::Failed(_))),
        "{too_large:?}"
    );
}

#[test]
fn a_header_that_would_split_the_request_is_refused() {
    let server = HttpServer::start();
    for (name, value) in [
        ("x-a", &b"1\r\nx-b: 2"[..]),
        ("x-a", b"1\n"),
        ("x-a", b"\0"),
        ("x a", b"1"),
        ("x-a\r\nx-b", b"1"),
        ("", b"1"),
    ] {
        let mut request = get(&server.url("/"));
        request.headers.push((name.to_owned(), value.to_vec()));
        assert!(
            matches!(sent(&request), Err(CapabilityError::Invalid(_))),
            "{name:?}"
        );
        let mut request = get(&server.url("/"));
        request
            .secret_headers
            .push((name.to_owned(), SecretBytes::new(value)));
        let refused = sent(&request);
        assert!(
            matches!(refused, Err(CapabilityError::Invalid(_))),
            "{name:?}"
        );
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_dry_run_sends_nothing() {
    let floor = Floor::with("");
    let server = HttpServer::start();
    let asked = post(&server.url("/"), b"x");
    let answer = recorded_send(&Lookup::default(), &floor.call(), &asked).unwrap();
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert!(server.requests().is_empty());
}

#[test]
fn a_dry_run_refuses_what_a_real_run_would_refuse_for_where_its_name_leads() {
    let floor = Floor::with("");
    let request = post("https://evil.example/x", b"x");
    let asked = |lookup: &Lookup, request: &HttpRequest| {
        recorded_send(lookup, &floor.call(), request).map(|answer| answer.status)
    };
    let private = leads_to("192.168.1.5");
    let refused = asked(&private, &request);
    assert!(
        matches!(refused, Err(CapabilityError::Private(address)) if address.to_string() == "192.168.1.5"),
        "{refused:?}"
    );
    let granted = HttpRequest {
        private: true,
        ..request.clone()
    };
    assert_eq!(asked(&private, &granted).unwrap(), 200);
    assert_eq!(asked(&leads_to("1.1.1.1"), &request).unwrap(), 200);
    let nowhere = Lookup::by(|_| Err(io::Error::other("no such host")));
    let failed = asked(&nowhere, &request).unwrap_err().to_string();
    assert!(
        failed.contains("can't look the name up: no such host"),
        "{failed}"
    );
}
