//! Requests over HTTP: what is let through, and as what.
#![allow(clippy::unwrap_used, reason = "tests")]

mod kit;

use std::sync::Arc;
use std::time::Duration;

use copal_core::grants::Capability;
use copal_core::units::ByteCount;
use copal_hooks::{Cancel, Cause, FailureKind, Hook, add_requests};
use kit::{FakeHost, Http, Trial, escape, run, tries, within};
use serde_json::{Value, json};

fn get(url: &str) -> Value {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, path) = rest
        .find('/')
        .map_or((rest, ""), |slash| rest.split_at(slash));
    json!({ "send": { "method": "GET", "scheme": scheme, "authority": authority, "path": path } })
}

fn with(mut request: Value, key: &str, value: Value) -> Value {
    request["send"][key] = value;
    request
}

/// What came of one request, and the requests that were sent.
fn sent(hook: &Hook, host: &Arc<FakeHost>) -> (String, usize) {
    let answers = tries(hook, host);
    (answers.concat(), host.requests().len())
}

fn post(url: &str) -> Value {
    with(get(url), "method", json!("POST"))
}

#[test]
fn a_granted_request_goes_through_with_its_body_and_the_answer_comes_back() {
    let request = with(post("https://ntfy.sh/backups?x=1"), "body", json!(9000));
    let trial = escape(&[request]).grant("http", "POST https://ntfy.sh");
    let host = FakeHost::default().shared();
    let hook = trial.load();
    let failure = kit::fails(&hook, &host);
    let [request] = host.requests().try_into().unwrap();
    assert_eq!(request.url().expose(), b"https://ntfy.sh/backups?x=1");
    assert_eq!(request.body.len(), 9000);
    assert!(!request.private);
    let [deed] = failure.account.deeds.as_slice() else {
        panic!("{failure:?}")
    };
    assert_eq!(
        (deed.capability, deed.action),
        (Capability::Http.into(), "send")
    );
    let arguments: Vec<_> = deed
        .arguments
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(
        arguments,
        [
            "method=POST",
            "url=https://ntfy.sh/backups?x=1",
            "body=9000 bytes"
        ]
    );
    assert_eq!(deed.result, Ok("200".into()));
    assert!(failure.to_string().contains("200 9000 bbbb"), "{failure}");
}

#[test]
fn a_refused_request_is_the_failure_that_the_owner_sees() {
    let hook = escape(&[post("https://hooks.example.com/x")])
        .grant("http", "GET https://hooks.example.com")
        .load();
    let host = FakeHost::default().shared();
    let failure = kit::fails(&hook, &host);
    let FailureKind::Denied(denial) = &failure.kind else {
        panic!("{failure:?}")
    };
    assert_eq!(denial.value, "POST https://hooks.example.com");
    let line = r#"grants = { http = ["GET https://hooks.example.com", "POST https://hooks.example.com"] }"#;
    assert_eq!(denial.remedy(), line);
    let own = failure.last_words.concat();
    assert!(own.contains("HttpRequestDenied"), "{own:?}");
    assert!(host.requests().is_empty());
    assert_eq!(failure.account.deeds.len(), 1);
}

#[test]
fn a_refusal_that_the_hook_got_over_is_not_why_it_fails_later() {
    let hook = escape(&[get("https://refused.example/"), get("https://ntfy.sh/")])
        .grant("http", "https://ntfy.sh")
        .load();
    let host = FakeHost::default().shared();
    let failure = kit::fails(&hook, &host);
    assert_eq!(host.requests().len(), 1);
    let FailureKind::Error { code, message } = &failure.kind else {
        panic!("{failure:?}")
    };
    assert_eq!(code, "tried");
    assert!(message.contains("got 200"), "{message}");
    // It is not forgotten either.
    assert!(failure.account.deeds[0].result.is_err());
}

#[test]
fn only_what_is_granted_exactly_goes_through() {
    let refused = [
        "http://ntfy.sh/",
        "https://ntfy.sh:8443/",
        "https://ntfy.sh./",
        "https://evil.ntfy.sh/",
        "https://ntfy.sh.evil.example/",
        "https://ntfy.sh@evil.example/",
        "https://evil.example@ntfy.sh/",
        "https://user:pass@ntfy.sh/",
        "https://ntfy.sh:443@evil.example/",
        "ftp://ntfy.sh/",
        "file:///etc/passwd",
        "unix://ntfy.sh/",
    ];
    for url in refused {
        let hook = escape(&[get(url)]).grant("http", "https://ntfy.sh").load();
        let host = FakeHost::default().shared();
        let failure = kit::fails(&hook, &host);
        assert!(host.requests().is_empty(), "{url}: {failure}");
    }
    for url in [
        "https://ntfy.sh/",
        "https://NTFY.sh/",
        "https://ntfy.sh:443/",
    ] {
        let hook = escape(&[get(url)]).grant("http", "https://ntfy.sh").load();
        let host = FakeHost::default().shared();
        assert_eq!(sent(&hook, &host).1, 1, "{url}");
        assert_eq!(host.requests()[0].origin.to_string(), "https://ntfy.sh");
    }
}

#[test]
fn no_disguise_of_an_address_is_taken_for_a_granted_one() {
    let disguises = [
        "127.1",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "2130706433",
        "0x7f000001",
        "127.0.0.1.",
        "localhost",
        "localhost.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::1%25lo]",
        "127.0.0.1%00.ntfy.sh",
        "①27.0.0.1",
        "127。0。0。1",
        "127.0.0.1 ",
        "127.0.0.1\t",
        "127.0.0.1#",
        "127.0.0.1?x",
        "127.0.0.1\\@ntfy.sh",
        "0",
        "",
    ];
    for host_name in disguises {
        let request = json!({ "send": {
            "method": "GET", "scheme": "http", "authority": host_name, "path": "/"
        } });
        let hook = escape(&[request]).grant("http", "http://127.0.0.1").load();
        let host = FakeHost::default().shared();
        let failure = kit::fails(&hook, &host);
        assert!(host.requests().is_empty(), "{host_name}: {failure}");
    }
}

#[test]
fn nothing_can_be_injected_by_a_method_a_path_or_a_header() {
    let base = || get("http://127.0.0.1/");
    let tricks = [
        with(
            base(),
            "method",
            json!("GET / HTTP/1.1\r\nhost: evil\r\n\r\nPOST"),
        ),
        with(base(), "method", json!("CONNECT")),
        with(base(), "method", json!("TRACE")),
        with(base(), "method", json!("get")),
        with(base(), "path", json!("/x HTTP/1.1\r\nhost: evil\r\n\r\n")),
        with(base(), "path", json!("/é")),
        with(base(), "path", json!("http://evil.example/")),
        with(base(), "path", json!("@evil.example/")),
        with(base(), "headers", json!([["x", "a\r\nhost: evil"]])),
        with(base(), "headers", json!([["x\r\nhost", "evil"]])),
        with(base(), "headers", json!([["host", "evil"]])),
        with(base(), "headers", json!([["Transfer-Encoding", "chunked"]])),
        with(base(), "headers", json!([["proxy-authorization", "x"]])),
        with(base(), "headers", json!([["connection", "x"]])),
        with(base(), "headers", json!([["te", "x"]])),
        with(base(), "headers", json!([["expect", "100-continue"]])),
        with(base(), "headers", json!([["content-length", "7"]])),
    ];
    for trick in tricks {
        let hook = escape(std::slice::from_ref(&trick))
            .grant("http", "http://127.0.0.1")
            .load();
        let host = FakeHost::default().shared();
        kit::fails(&hook, &host);
        for request in host.requests() {
            // Whatever was made of it, it goes where it was granted, and says nothing of its own.
            assert_eq!(request.origin.to_string(), "http://127.0.0.1", "{trick}");
            assert!(
                request.path.starts_with('/') && request.path.is_ascii(),
                "{trick}"
            );
            assert!(request.headers.is_empty(), "{trick}: {request:?}");
            assert_eq!(request.method.as_str(), "GET", "{trick}");
        }
    }
}

#[test]
fn the_length_of_a_body_is_the_hosts_to_say() {
    let request = with(post("http://127.0.0.1/"), "body", json!(5));
    let request = with(
        request,
        "headers",
        json!([["content-length", "5"], ["x-own", "y"]]),
    );
    let hook = escape(&[request]).grant("http", "http://127.0.0.1").load();
    let host = FakeHost::default().shared();
    kit::fails(&hook, &host);
    assert_eq!(
        host.requests()[0].headers,
        [("x-own".to_owned(), b"y".to_vec())]
    );
}

#[test]
fn a_name_that_leads_to_a_private_address_is_denied_with_the_line_that_says_private() {
    let url = "http://gotify.lan:8080/message";
    let host = || FakeHost::http(Http::Private("192.168.1.5".parse().unwrap())).shared();
    let granted = |entry: &str| escape(&[post(url)]).grant("http", entry).load();

    let failure = kit::fails(&granted("http://gotify.lan:8080"), &host());
    let FailureKind::Denied(denial) = &failure.kind else {
        panic!("{failure:?}")
    };
    assert_eq!(
        denial.value,
        "POST http://gotify.lan:8080 (192.168.1.5, a private address)"
    );
    let Cause::NotGranted { line } = &denial.cause else {
        panic!("{denial:?}")
    };
    assert!(line.contains("private "), "{line}");

    let host = host();
    let (answer, _) = sent(&granted("private POST http://gotify.lan:8080"), &host);
    assert_eq!(answer, "got 200 0 ");
    assert!(host.requests()[0].private);
}

#[test]
fn a_component_need_not_request_that_an_address_is_private() {
    let requests = r#"{"requests": {"http": ["POST http://gotify.lan:8080"]}}"#;
    let hook = escape(&[post("http://gotify.lan:8080/message")])
        .map(|component| add_requests(&component, requests).unwrap())
        .grant("http", "private POST http://gotify.lan:8080")
        .load();
    let shown = hook.in_force().both().line();
    assert!(
        shown.contains("private POST http://gotify.lan:8080"),
        "{shown}"
    );
    let host = FakeHost::http(Http::Private("192.168.1.5".parse().unwrap())).shared();
    let (answer, _) = sent(&hook, &host);
    assert_eq!(answer, "got 200 0 ");
    assert!(host.requests()[0].private);
}

#[test]
fn what_a_component_does_not_request_no_grant_helps() {
    let requests = r#"{"requests": {"http": ["https://ntfy.sh"]}}"#;
    let hook = escape(&[get("https://other.example/")])
        .map(|component| add_requests(&component, requests).unwrap())
        .grant("http", "https://other.example")
        .load();
    let failure = kit::fails(&hook, &FakeHost::default().shared());
    assert_eq!(
        failure.to_string(),
        "hook `tried` may not use `http` on `GET https://other.example`: its component does not \
         request it; its requests are { http = [\"https://ntfy.sh\"] }"
    );
}

#[test]
fn a_filter_sends_nothing_whatever_is_granted() {
    let hook = escape(&[get("https://ntfy.sh/")])
        .grant("http", "https://ntfy.sh")
        .load();
    let mut session = hook.filter(&run(), &Cancel::new()).unwrap();
    let mut batch = session.batch();
    batch.push(b"a", copal_hooks::EntryKind::File, 0, 0);
    let failure = session.decide(&batch).unwrap_err();
    assert!(
        failure
            .to_string()
            .contains("`http` can't be used in filter"),
        "{failure}"
    );
}

#[test]
fn a_hung_server_costs_its_limit_and_no_more() {
    let limit = Duration::from_millis(150);
    let hook = escape(&[get("http://127.0.0.1/")])
        .grant("http", "http://127.0.0.1")
        .limits(|limits| limits.http_wall = limit)
        .load();
    let host = FakeHost::http(Http::Hang).shared();
    let (answer, _) = within(limit, || sent(&hook, &host));
    assert!(answer.contains("HttpResponseTimeout"), "{answer}");
}

#[test]
fn a_phase_does_not_outlive_its_limit_for_a_hung_server() {
    let limit = Duration::from_millis(150);
    let hook = escape(&[get("http://127.0.0.1/")])
        .grant("http", "http://127.0.0.1")
        .limits(|limits| limits.wall = limit)
        .load();
    let host = FakeHost::http(Http::Hang).shared();
    let failure = within(limit, || kit::fails(&hook, &host));
    assert_eq!(failure.kind, FailureKind::TimedOut { limit });
    let result = &failure.account.deeds[0].result;
    assert_eq!(result, &Err("the hook did not wait for it".to_owned()));
}

#[test]
fn a_signal_ends_a_hook_that_waits_for_an_answer() {
    let hook = escape(&[get("http://127.0.0.1/")])
        .grant("http", "http://127.0.0.1")
        .load();
    let host = FakeHost::http(Http::Hang).shared();
    let cancel = Cancel::new();
    let failure = std::thread::scope(|scope| {
        scope.spawn(|| {
            while host.requests().is_empty() {
                std::thread::yield_now();
            }
            cancel.cancel();
        });
        let host = Arc::<FakeHost>::clone(&host);
        within(Duration::ZERO, || hook.pre_backup(&run(), host, &cancel))
    });
    assert_eq!(failure.unwrap_err().kind, FailureKind::Interrupted);
}

#[test]
fn bodies_have_a_limit_in_both_directions() {
    let limits = |limits: &mut copal_hooks::Limits| limits.http_body = ByteCount(10_000);
    let trial = |request| {
        escape(&[request])
            .grant("http", "http://127.0.0.1")
            .limits(limits)
            .load()
    };
    let large = with(post("http://127.0.0.1/"), "body", json!(10_001));
    let host = FakeHost::default().shared();
    let (answer, count) = sent(&trial(large), &host);
    assert_eq!(count, 0);
    assert!(answer.contains("HttpRequestBodySize"), "{answer}");

    let host = FakeHost::http(Http::Bytes(20_001)).shared();
    let (answer, _) = sent(&trial(get("http://127.0.0.1/")), &host);
    assert!(answer.contains("HttpResponseBodySize"), "{answer}");
}

#[test]
fn a_bound_secret_leaves_for_its_origin_alone_and_is_seen_nowhere() {
    let bind = json!({ "bind": ["token", "http://127.0.0.1:1", "Authorization", "Bearer "] });
    let own = json!([["authorization", "forged"]]);
    let all = [
        bind,
        with(get("http://127.0.0.1:1/"), "headers", own.clone()),
        with(get("http://127.0.0.1:2/"), "headers", own),
    ];
    let hook = escape(&all)
        .grant("http", "http://127.0.0.1:1")
        .grant("http", "http://127.0.0.1:2")
        .grant("secrets", "token")
        .load();
    let host = FakeHost::default().secret(b"hunter22").shared();
    let failure = kit::fails(&hook, &host);
    let requests = host.requests();
    let (name, value) = &requests[0].secret_headers[0];
    assert_eq!(
        (name.as_str(), value.expose()),
        ("authorization", &b"Bearer hunter22"[..])
    );
    assert!(requests[0].headers.is_empty(), "the hook's own makes way");
    assert!(requests[1].secret_headers.is_empty());
    assert_eq!(requests[1].headers.len(), 1);
    assert!(!format!("{failure:?} {requests:?}").contains("hunter22"));
}

#[test]
fn a_secret_is_bound_only_where_both_it_and_the_origin_are_granted() {
    let bind = |header: &str, origin: &str| json!({ "bind": ["token", origin, header, "Bearer "] });
    let cases = [
        (
            bind("authorization", "http://127.0.0.1"),
            ("http", "http://127.0.0.1"),
            "token",
        ),
        (
            bind("authorization", "http://127.0.0.1"),
            ("secrets", "token"),
            "http://127.0.0.1",
        ),
        (
            bind("host", "http://127.0.0.1"),
            ("secrets", "token"),
            "the host's own",
        ),
        (
            bind("a\r\nb", "http://127.0.0.1"),
            ("secrets", "token"),
            "no header",
        ),
        (
            bind("a", "http://x@127.0.0.1"),
            ("secrets", "token"),
            "no origin",
        ),
    ];
    for (bind, (capability, entry), why) in cases {
        let hook = escape(&[bind]).grant(capability, entry).load();
        let host = FakeHost::default().secret(b"hunter22").shared();
        let failure = kit::fails(&hook, &host);
        assert!(failure.to_string().contains(why), "{failure}");
        assert!(host.done().is_empty());
    }
}

#[test]
fn a_secret_that_can_not_stand_in_a_header_is_not_put_there() {
    let bind = json!({ "bind": ["token", "http://127.0.0.1", "authorization", ""] });
    let hook = escape(&[bind])
        .grant("http", "http://127.0.0.1")
        .grant("secrets", "token")
        .load();
    let host = FakeHost::default().secret(b"a\r\nhost: evil").shared();
    let answers = tries(&hook, &host).concat();
    assert!(answers.contains("can't stand in a header"), "{answers}");
}

const CHECK: &str = "7c1a-secret/topic";

fn bind_path(origin: &str, url: &str) -> Trial {
    Trial::specimen(json!({ "bind-path": ["check", origin, url] }))
        .grant("http", "http://127.0.0.1:1")
        .grant("http", "http://127.0.0.1:2")
}

#[test]
fn a_secret_in_a_path_leaves_for_its_origin_alone_and_is_seen_nowhere() {
    let origin = "http://127.0.0.1:1";
    for (url, leaves_as) in [
        (
            "http://127.0.0.1:1/ping/{check}/fail?x={check}",
            "/ping/7c1a-secret/topic/fail?x=7c1a-secret/topic",
        ),
        ("http://127.0.0.1:1/ping/{other}", "/ping/{other}"),
        ("http://127.0.0.1:2/ping/{check}", "/ping/{check}"),
    ] {
        let hook = bind_path(origin, url).grant("secrets", "check").load();
        let host = FakeHost::default().secret(CHECK.as_bytes()).shared();
        let account = kit::pre_backup(&hook, &host).unwrap();
        let requests = host.requests();
        let sent = requests[0].url();
        let sent = std::str::from_utf8(sent.expose()).unwrap();
        assert!(sent.ends_with(leaves_as), "{sent}");
        let shown = format!("{account:?} {requests:?}");
        assert!(!shown.contains("7c1a"), "{shown}");
        assert!(shown.contains(url), "{shown}");
    }
}

#[test]
fn a_secret_that_can_not_stand_in_a_path_or_is_not_granted_goes_into_none() {
    let url = "http://127.0.0.1:1/{check}";
    let secrets = [
        ("a b", "can't stand in a path"),
        ("a?b", "can't stand in a path"),
        ("a\r\nhost: evil", "can't stand in a path"),
        ("{check}", "can't stand in a path"),
        ("https://hc-ping.com/7c1a", "a whole URL"),
    ];
    for (secret, why) in secrets {
        let hook = bind_path("http://127.0.0.1:1", url)
            .grant("secrets", "check")
            .load();
        let host = FakeHost::default().secret(secret.as_bytes()).shared();
        let failure = kit::fails(&hook, &host);
        assert!(failure.to_string().contains(why), "{failure}");
        assert!(host.requests().is_empty());
    }
    let host = FakeHost::default().secret(CHECK.as_bytes()).shared();
    let denied = kit::fails(&bind_path("http://127.0.0.1:1", url).load(), &host);
    assert!(denied.to_string().contains("`secrets`"), "{denied}");
    let elsewhere = bind_path("http://127.0.0.1:3", url).grant("secrets", "check");
    let denied = kit::fails(&elsewhere.load(), &host);
    assert!(
        denied.to_string().contains("http://127.0.0.1:3"),
        "{denied}"
    );
    assert!(host.done().is_empty());
}

#[test]
fn a_panic_of_the_host_while_it_sends_is_told_as_its_own_fault() {
    let hook = escape(&[get("http://127.0.0.1/")])
        .grant("http", "http://127.0.0.1")
        .load();
    let failure = kit::fails(&hook, &FakeHost::panicking().shared());
    assert!(
        matches!(&failure.kind, FailureKind::Host(why) if why.contains("as it was told")),
        "{failure}"
    );
    let trial = Trial::specimen(json!("behave")).load();
    kit::pre_backup(&trial, &FakeHost::default().shared()).unwrap();
}
