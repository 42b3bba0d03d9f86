use super::*;
use proptest::prelude::*;

fn shown(text: &str) -> String {
    RemoteSpec::parse(text).unwrap().to_string()
}

#[test]
fn a_remote_without_parameters_is_shown_as_written() {
    for text in [
        "b2:bucket/dir",
        "b2:",
        ":local:/x",
        "/mnt/a:b",
        "my remote:x",
        "../dir",
        "ñ:x",
    ] {
        assert_eq!(shown(text), text);
    }
}

#[test]
fn the_values_of_parameters_are_never_shown() {
    for (text, masked) in [
        (
            ":b2,account=A,key=K:bucket",
            ":b2,account=***,key=***:bucket",
        ),
        ("b2,hard_delete:bucket", "b2,hard_delete:bucket"),
        (r#":ftp,pass="a:b,""c":dir"#, ":ftp,pass=***:dir"),
        (":ftp,pass='a\"':dir,x=1:y", ":ftp,pass=***:dir,x=1:y"),
        (":ftp,pass=:dir", ":ftp,pass=***:dir"),
    ] {
        assert_eq!(shown(text), masked);
        assert!(
            !format!("{:?}", RemoteSpec::parse(text)).contains('K'),
            "{text}"
        );
        assert_eq!(RemoteSpec::parse(text).unwrap().expose(), text);
    }
}

#[test]
fn what_rclone_could_not_read_is_refused_and_its_values_are_masked_all_the_same() {
    for (text, reason, shown) in [
        ("", InvalidRemote::Empty, ""),
        ("b2,key=SECRET", InvalidRemote::Unfinished, "b2,key=***"),
        ("http://u@host/x", InvalidRemote::Url, "http://u@host/x"),
        ("b2:a\nb", InvalidRemote::Control, "b2:a\nb"),
        ("-x:", InvalidRemote::RemoteName, "-x:"),
        (":/x:", InvalidRemote::RemoteName, ":/x:"),
        ("b 2!:x", InvalidRemote::RemoteName, "b 2!:x"),
        ("b2,a b=SECRET:x", InvalidRemote::Parameter, "b2,a b=***"),
        ("b 2!,a=SECRET:x", InvalidRemote::RemoteName, "b 2!,a=***"),
        ("b2key=SECRET,a:x", InvalidRemote::RemoteName, "b2key=***"),
        ("b2,a=1,b c=2:x", InvalidRemote::Parameter, "b2,a=***"),
        (r#"b2,a="1:x"#, InvalidRemote::Quote, "b2,a=***"),
        (r#"b2,a="1"2:x"#, InvalidRemote::Quote, "b2,a=***"),
        ("b2,a=':x", InvalidRemote::Quote, "b2,a=***"),
    ] {
        assert_eq!(RemoteSpec::parse(text), Err(reason), "{text}");
        assert_eq!(masked(text), shown, "{text}");
    }
}

#[test]
fn a_path_without_a_colon_or_with_a_slash_before_it_is_local() {
    let local = |text: &str| {
        let spec = RemoteSpec::parse(text).unwrap();
        spec.local_path()
            .map(|path| path.to_str().unwrap().to_owned())
    };
    for path in ["/mnt/x", "x", "./a:b", "a,b"] {
        assert_eq!(local(path).as_deref(), Some(path));
    }
    assert_eq!(local(":local:/x:y").as_deref(), Some("/x:y"));
    assert_eq!(local(":local,nounc=true:/x").as_deref(), Some("/x"));
    assert_eq!(local("b2:x"), None);
    assert_eq!(
        local("local:x"),
        None,
        "a remote of that name may be anything"
    );
}

#[test]
fn a_relative_local_path_is_relative_to_the_given_directory() {
    let resolve = |text: &str| {
        let remote = RemoteSpec::parse(text)
            .unwrap()
            .resolve(Path::new("/etc/copal"));
        remote.expose().to_owned()
    };
    assert_eq!(resolve("backups"), "/etc/copal/backups");
    assert_eq!(resolve("/mnt/backups"), "/mnt/backups");
    assert_eq!(resolve("b2:backups"), "b2:backups");
}

proptest! {
    #[test]
    fn no_text_makes_the_scanner_stumble(text in r#"[:,='"/\\a-cé ]{0,20}"#) {
        let shown = masked(&text);
        if let Ok(remote) = RemoteSpec::parse(&text) {
            prop_assert_eq!(remote.to_string(), shown);
        }
    }

    #[test]
    fn a_quoted_value_never_shows(value in "[A-Z:,\"]{6,20}", rest in "[a-z/]{0,9}") {
        let text = format!(":b2,key=\"{}\":{rest}", value.replace('"', "\"\""));
        prop_assert_eq!(shown(&text), format!(":b2,key=***:{rest}"));
    }
}

#[test]
fn the_directories_above_a_destination_are_those_of_its_remote() {
    for (text, expected) in [
        (
            "b2:bucket/a/b/",
            &[
                ("b2:bucket/a", "b"),
                ("b2:bucket", "a/b"),
                ("b2:", "bucket/a/b"),
            ][..],
        ),
        (
            ":s3,endpoint='http://h:1/x':a/b",
            &[
                (":s3,endpoint='http://h:1/x':a", "b"),
                (":s3,endpoint='http://h:1/x':", "a/b"),
            ],
        ),
        ("nas:/srv/x", &[("nas:/srv", "x"), ("nas:", "srv/x")]),
        ("b2:a//b", &[("b2:a", "b"), ("b2:", "a//b")]),
        ("vault:", &[]),
        ("/mnt/disk", &[]),
    ] {
        let above = RemoteSpec::parse(text).unwrap().above();
        let told: Vec<_> = above
            .iter()
            .map(|(above, below)| (above.expose(), below.as_str()))
            .collect();
        assert_eq!(told, expected, "{text}");
    }
}
