use super::*;

fn entry(config: &str) -> Entry {
    Entry {
        when: "weekly sun 03:00".parse().unwrap(),
        program: "/usr/local/bin/copal".into(),
        config: config.into(),
        environment: vec![("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned())],
        jitter: Some("10m".to_owned()),
    }
}

fn shown(units: &Units) -> String {
    let shown = |unit: &&Unit| format!("== {}\n{}", unit.name, unit.text);
    units.all().iter().map(shown).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_machine_runs_a_job_by_three_units() {
    let job = "open-webui".parse().unwrap();
    let failure = Some("tell@%n.service");
    let entry = entry("/srv/it's 100% $mine/copal.toml");
    let units = Units::of(&job, &entry, Some("Europe/Berlin"), failure, Scope::System);
    insta::assert_snapshot!(shown(&units.unwrap()));
}

#[test]
fn a_user_runs_one_by_what_a_user_may() {
    let job = "open-webui".parse().unwrap();
    let entry = entry("/home/me/copal.toml");
    let units = Units::of(&job, &entry, None, None, Scope::User);
    insta::assert_snapshot!(shown(&units.unwrap()));
}

#[test]
fn a_package_brings_units_in_the_same_words() {
    let files = [
        include_str!("../../../../packaging/systemd/copal@.service"),
        include_str!("../../../../packaging/systemd/copal@.timer"),
        include_str!("../../../../packaging/systemd/boot/copal-recover.service"),
    ];
    let units = Units::shipped();
    for (unit, file) in units.all().into_iter().zip(files) {
        assert_eq!(
            unit.text, file,
            "packaging/systemd has another {}",
            unit.name
        );
    }
}
