use super::*;
use proptest::prelude::*;

#[test]
fn there_is_one_way_to_write_an_origin() {
    for (text, expected) in [
        ("https://ntfy.sh", "https://ntfy.sh"),
        ("HTTPS://Ntfy.SH:443", "https://ntfy.sh"),
        ("http://ntfy.sh:80", "http://ntfy.sh"),
        ("http://ntfy.sh:443", "http://ntfy.sh:443"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://[0:0::1]:80", "http://[::1]"),
        ("http://[2A00::1]:8080", "http://[2a00::1]:8080"),
        ("http://my_service:65535", "http://my_service:65535"),
        (
            "https://xn--bcher-kva.example",
            "https://xn--bcher-kva.example",
        ),
        ("https://1and1.com", "https://1and1.com"),
    ] {
        assert_eq!(
            text.parse::<Origin>().unwrap().to_string(),
            expected,
            "{text}"
        );
    }
}

#[test]
fn what_another_program_could_read_as_another_host_is_refused() {
    use InvalidOrigin as E;
    for (text, expected) in [
        ("", E::Scheme),
        ("ntfy.sh", E::Scheme),
        ("ftp://ntfy.sh", E::Scheme),
        ("file:///etc/passwd", E::Scheme),
        (" https://ntfy.sh", E::Scheme),
        ("https:/ntfy.sh", E::Scheme),
        ("https://", E::NoHost),
        ("https://:443", E::NoHost),
        ("https://me@ntfy.sh", E::UserInfo),
        ("https://ntfy.sh:x@evil.example", E::UserInfo),
        ("https://ntfy.sh/", E::Path),
        ("https://ntfy.sh?x", E::Path),
        ("https://ntfy.sh#x", E::Path),
        ("https://ntfy.sh\\evil.example", E::Path),
        ("https://bücher.example", E::NotAscii),
        ("https://ntfy\u{3002}sh", E::NotAscii),
        ("https://ntfy.sh.", E::EmptyLabel),
        ("https://.sh", E::EmptyLabel),
        ("https://ntfy..sh", E::EmptyLabel),
        ("https://*.ntfy.sh", E::Character),
        ("https://ntfy%2esh", E::Character),
        ("https://ntfy.sh ", E::Character),
        ("https://ntfy.sh\r\nx", E::Character),
        ("https://ntfy.sh\0", E::Character),
        ("https://-ntfy.sh", E::Name),
        ("http://2130706433", E::Number),
        ("http://127.1", E::Number),
        ("http://0177.0.0.1", E::Number),
        ("http://127.0.0.01", E::Number),
        ("http://0x7f.0.0.1", E::Number),
        ("http://0x7f000001", E::Number),
        ("http://0X7F000001", E::Number),
        ("http://127.0.0.0x", E::Number),
        ("http://1.2.3.4.5", E::Number),
        ("http://256.0.0.1", E::Number),
        ("http://ntfy.123", E::Number),
        ("http://[fe80::1%25eth0]", E::V6),
        ("http://[fe80::1%eth0]", E::V6),
        ("http://[::1", E::V6),
        ("http://[::1]x", E::V6),
        ("http://[127.0.0.1]", E::V6),
        ("http://::1", E::NoHost),
        ("http://ntfy.sh:", E::Port),
        ("http://ntfy.sh:0", E::Port),
        ("http://ntfy.sh:+80", E::Port),
        ("http://ntfy.sh:080", E::Port),
        ("http://ntfy.sh:65536", E::Port),
        ("http://ntfy.sh:80:80", E::Port),
        ("http://[::1]:", E::Port),
    ] {
        assert_eq!(text.parse::<Origin>(), Err(expected), "{text:?}");
    }
    assert!(
        format!("http://{}", "a.".repeat(126) + "bc")
            .parse::<Origin>()
            .is_err()
    );
    assert!(
        format!("http://{}.sh", "a".repeat(64))
            .parse::<Origin>()
            .is_err()
    );
}

#[test]
fn an_address_says_by_itself_whether_it_is_private() {
    let is_private = |text: &str| text.parse::<Origin>().unwrap().is_private_by_name();
    for text in [
        "http://127.0.0.1",
        "http://[::1]",
        "http://192.168.1.5",
        "http://localhost:9000",
        "http://app.localhost",
    ] {
        assert!(is_private(text), "{text}");
    }
    for text in [
        "http://1.1.1.1",
        "http://gotify.lan",
        "http://localhost.example",
        "http://notlocalhost",
    ] {
        assert!(!is_private(text), "{text}");
    }
}

proptest! {
    #[test]
    fn every_origin_reads_back_from_its_text(text in "(?i:https?)://[-a-z0-9_.\\[\\]:%@/A-Zé]{0,20}(:[0-9]{1,5})?") {
        if let Ok(origin) = text.parse::<Origin>() {
            prop_assert_eq!(origin.to_string().parse(), Ok(origin));
        }
    }
}
