use super::*;

fn entry(config: &str) -> Entry {
    Entry {
        when: "daily 03:00".parse().unwrap(),
        program: "/usr/local/bin/copal".into(),
        config: config.into(),
        environment: vec![("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned())],
        jitter: None,
    }
}

#[test]
fn cron_is_told_of_the_runs_and_of_the_release_after_a_start() {
    let plain = entry("/etc/copal/copal.toml").lines(None).unwrap();
    let of_a_user = Entry {
        jitter: Some("10m".to_owned()),
        ..entry("/srv/it's 100% mine/copal.toml")
    };
    let odd = entry(r"/srv/a\%b.toml").lines(None).unwrap();
    let root = "root".parse().unwrap();
    let of_a_user = of_a_user.lines(Some(&root)).unwrap();
    insta::assert_snapshot!([plain, odd, of_a_user].concat().join("\n"));
}

#[test]
fn what_would_break_the_line_is_refused() {
    for config in ["/srv/a\nb.toml", "/srv/a\u{7f}.toml"] {
        let refused = entry(config).lines(None);
        assert_eq!(refused, Err(Unwritable::Character(config.into())));
    }
    let long = format!("/{}", "a".repeat(1000));
    assert!(matches!(
        entry(&long).lines(None),
        Err(Unwritable::TooLong(1000..))
    ));
}
