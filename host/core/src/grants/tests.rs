use proptest::prelude::*;
use serde_json::json;

use super::*;

fn grants(value: &serde_json::Value) -> Grants {
    Grants::from_json(value).unwrap()
}

fn request(text: &str, private: bool) -> Need {
    let (method, origin) = text.split_once(' ').unwrap();
    Need::Request {
        method: method.parse().unwrap(),
        origin: origin.parse().unwrap(),
        private,
    }
}

fn database(text: &str) -> Need {
    Need::Database(text.parse().unwrap())
}

/// What a line of copal.toml says.
fn read(line: &str) -> Grants {
    let table: serde_json::Value = toml::from_str(line).unwrap();
    grants(&table["grants"])
}

#[test]
fn nothing_is_granted_by_default() {
    let nothing = Grants::default();
    for need in [
        Need::Databases,
        Need::State,
        database("a.db"),
        Need::Tree(Tree::Source),
        request("GET http://a", false),
    ] {
        assert!(!nothing.cover(&need), "{need}");
    }
    assert!(nothing.is_empty() && nothing.entries().is_empty());
}

#[test]
fn a_star_covers_all_of_its_own_capability_alone() {
    let grants = grants(&json!({ "sqlite": ["*"] }));
    assert!(grants.cover(&database("a/b.db")) && grants.cover(&Need::Databases));
    assert!(!grants.cover(&Need::Directory("a".parse().unwrap())));
}

#[test]
fn a_name_covers_itself_and_nothing_in_it() {
    let grants = grants(&json!({ "archive": ["vector_db/"] }));
    assert!(grants.cover(&Need::Directory("vector_db".parse().unwrap())));
    assert!(!grants.cover(&Need::Directory("vector_db/x".parse().unwrap())));
}

#[test]
fn a_secret_to_be_put_into_requests_is_not_one_to_be_read() {
    let grants = grants(&json!({ "secrets": ["a"], "reveal": ["b"] }));
    let name = |text: &str| text.parse().unwrap();
    assert!(grants.cover(&Need::Secret(name("a"))) && !grants.cover(&Need::Reveal(name("a"))));
    assert!(grants.cover(&Need::Reveal(name("b"))) && !grants.cover(&Need::Secret(name("b"))));
}

#[test]
fn a_request_is_covered_by_its_origin_and_its_method() {
    let grants =
        grants(&json!({ "http": ["https://ntfy.sh", "POST,PUT https://hooks.example.com:8443"] }));
    for need in [
        "GET https://ntfy.sh",
        "DELETE https://NTFY.sh:443",
        "PUT https://hooks.example.com:8443",
    ] {
        assert!(grants.cover(&request(need, false)), "{need}");
    }
    for need in [
        "GET http://ntfy.sh",
        "GET https://ntfy.sh:8443",
        "GET https://a.ntfy.sh",
        "GET https://hooks.example.com:8443",
    ] {
        assert!(!grants.cover(&request(need, false)), "{need}");
    }
}

#[test]
fn a_name_that_leads_to_a_private_address_needs_a_grant_that_says_so() {
    let grants = grants(
        &json!({ "http": ["http://gotify.lan:8080", "private http://other.lan", "http://127.0.0.1:9000"] }),
    );
    assert!(!grants.cover(&request("POST http://gotify.lan:8080", true)));
    assert!(grants.cover(&request("POST http://other.lan", true)));
    assert!(grants.cover(&request("POST http://127.0.0.1:9000", true)));
    assert_eq!(
        grants.line_with(&request("POST http://gotify.lan:8080", true)),
        r#"grants = { http = ["private http://gotify.lan:8080", "private http://other.lan", "http://127.0.0.1:9000"] }"#
    );
}

#[test]
fn the_line_to_add_keeps_what_is_granted_and_quotes_names() {
    let grants = grants(&json!({ "sqlite": ["webui.db"], "archive": ["a\"b\\c"] }));
    assert_eq!(
        grants.line_with(&database("x.db")),
        r#"grants = { sqlite = ["webui.db", "x.db"], archive = ["a\"b\\c"] }"#
    );
}

#[test]
fn a_star_in_a_name_is_no_star_for_all() {
    let line = Grants::default().line_with(&database("%2A"));
    assert!(!read(&line).cover(&database("a.db")), "{line}");
}

#[test]
fn all_problems_of_requests_are_told_at_once() {
    let wrong = json!({
        "sqlite": ["../x", "*.db", 1], "http": ["*", "https://a/b"], "state": "yes", "files": ["root"],
        "command": "pg_dump", "secrets": ["a b"], "services": ["app"],
    });
    let problems = Grants::from_json(&wrong).unwrap_err();
    let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn what_a_component_requests_narrows_what_its_owner_grants() {
    let in_force = InForce {
        grants: grants(&json!({ "sqlite": ["*"] })),
        requests: Some(grants(&json!({ "sqlite": ["a.db"], "state": true }))),
    };
    assert_eq!(in_force.verdict(&database("a.db")), Verdict::Covered);
    assert_eq!(in_force.verdict(&database("b.db")), Verdict::NotRequested);
    let line = r#"grants = { sqlite = ["*"], state = true }"#.to_owned();
    assert_eq!(in_force.verdict(&Need::State), Verdict::NotGranted { line });
}

#[test]
fn a_grant_counts_as_far_as_it_is_requested_and_a_component_need_not_ask_for_privacy() {
    let in_force = InForce {
        grants: grants(&json!({
            "sqlite": ["*"], "archive": ["a"], "command": ["x"],
            "http": ["private POST http://gotify.lan", "https://a"],
        })),
        requests: Some(grants(&json!({
            "sqlite": ["a.db"], "archive": ["b"],
            "http": ["POST http://gotify.lan", "GET https://a", "POST https://b"],
        }))),
    };
    assert_eq!(
        in_force.both().line(),
        r#"grants = { sqlite = ["a.db"], http = ["private POST http://gotify.lan", "GET https://a"] }"#
    );
    assert!(in_force.cover(&request("POST http://gotify.lan", true)));
    let entry = |capability, text: &str| (capability, text.to_owned());
    assert_eq!(
        in_force.effect(&entry(Capability::Http, "private POST http://gotify.lan")),
        Effect::Whole
    );
    let part = grants(&json!({ "sqlite": ["a.db"] }));
    assert_eq!(
        in_force.effect(&entry(Capability::Sqlite, "*")),
        Effect::Part(Box::new(part))
    );
    assert_eq!(
        in_force.vain(),
        [
            entry(Capability::Archive, "a"),
            entry(Capability::Command, "x")
        ]
    );
    assert_eq!(
        in_force.missing(),
        [
            entry(Capability::Archive, "b"),
            entry(Capability::Http, "POST https://b")
        ]
    );
}

#[test]
fn a_component_that_requests_nothing_is_not_one_that_says_nothing() {
    let grants = grants(&json!({ "state": true }));
    let said = |requests| {
        InForce {
            grants: grants.clone(),
            requests,
        }
        .cover(&Need::State)
    };
    assert!(said(None));
    assert!(!said(Some(Grants::default())));
}

#[test]
fn requests_beyond_the_grants_are_named() {
    let granted = grants(
        &json!({ "sqlite": ["a.db"], "http": ["GET https://a", "POST https://a", "http://b"] }),
    );
    let requested = grants(&json!({
        "sqlite": ["a.db", "b.db"], "http": ["GET,POST https://a", "PUT https://a", "https://a", "private http://b"], "state": true,
    }));
    let beyond: Vec<_> = requested
        .beyond(&granted)
        .into_iter()
        .map(|(_, entry)| entry)
        .collect();
    assert_eq!(
        beyond,
        [
            "b.db",
            "PUT https://a",
            "https://a",
            "private http://b",
            "true"
        ]
    );
    assert!(granted.beyond(&granted).is_empty());
}

#[test]
fn grants_that_another_component_wakes_are_named_and_those_that_fall_asleep() {
    let owner = json!({ "state": true, "sqlite": ["*"], "http": ["https://a.net"] });
    let with = |requests: &serde_json::Value| InForce {
        grants: grants(&owner),
        requests: Some(grants(requests)),
    };
    let old = with(&json!({ "sqlite": ["a.db", "b.db"], "http": ["POST https://a.net"] }));
    let new = with(&json!({ "sqlite": ["b.db"], "http": ["https://a.net:443"], "state": true }));
    let change = new.since(&old);
    let texts = |entries: &[(Capability, String)]| {
        let texts = entries.iter().map(|(one, entry)| format!("{one} {entry}"));
        texts.collect::<Vec<_>>()
    };
    assert_eq!(texts(&change.gained), ["http https://a.net", "state true"]);
    assert_eq!(texts(&change.lost), ["sqlite a.db"]);
    assert_eq!(old.since(&old), Change::default());
    let nothing = InForce::default();
    assert_eq!(new.since(&nothing).gained, new.both().entries());
}

fn name() -> impl Strategy<Value = crate::name::Name> {
    prop::sample::select(vec!["a", "b", "pg_dump", "..x", "a-"])
        .prop_map(|name| name.parse().unwrap())
}

fn path() -> impl Strategy<Value = crate::path::RelPath> {
    let odd = prop::collection::vec(
        prop::sample::select(b"a*%/\\\"'\n\x7f\xff. ".to_vec()),
        1..6,
    );
    odd.prop_filter_map("no path", |bytes| crate::path::RelPath::new(bytes).ok())
}

fn origin() -> impl Strategy<Value = Origin> {
    let texts = vec![
        "http://a",
        "https://a",
        "http://a:8080",
        "http://127.0.0.1",
        "http://[::1]:9",
        "http://localhost",
    ];
    prop::sample::select(texts).prop_map(|text| text.parse().unwrap())
}

fn need() -> impl Strategy<Value = Need> {
    let method = prop::sample::select(vec!["GET", "POST", "M-SEARCH"]);
    prop_oneof![
        Just(Need::Databases),
        Just(Need::State),
        path().prop_map(Need::Database),
        path().prop_map(Need::Query),
        path().prop_map(Need::Update),
        path().prop_map(Need::Directory),
        name().prop_map(Need::Service),
        name().prop_map(Need::Command),
        name().prop_map(Need::Secret),
        name().prop_map(Need::Reveal),
        origin().prop_map(Need::Origin),
        prop::sample::select(Tree::ALL.to_vec()).prop_map(Need::Tree),
        (method, origin(), any::<bool>()).prop_map(|(method, origin, private)| Need::Request {
            method: method.parse().unwrap(),
            origin,
            private,
        }),
    ]
}

fn of(needs: &[Need]) -> Grants {
    let mut grants = Grants::default();
    for need in needs {
        grants.add_need(need);
    }
    grants
}

/// The need as a component has to request it: that an address is private only its owner can know.
fn public(need: &Need) -> Need {
    match need.clone() {
        Need::Request { method, origin, .. } => Need::Request {
            method,
            origin,
            private: false,
        },
        need => need,
    }
}

fn from_entries(entries: &[(Capability, String)]) -> Grants {
    let mut grants = Grants::default();
    for (capability, entry) in entries {
        grants.add_entry(*capability, entry).unwrap();
    }
    grants
}

fn needs() -> impl Strategy<Value = Vec<Need>> {
    prop::collection::vec(need(), 0..8)
}

proptest! {
    #[test]
    fn a_line_reads_back_as_the_grants_it_was_made_of(needs in needs()) {
        let grants = of(&needs);
        prop_assert_eq!(read(&grants.line()), grants.clone());
        prop_assert_eq!(Grants::from_json(&grants.to_json()), Ok(grants));
    }

    #[test]
    fn a_line_with_a_need_covers_it_and_everything_before(before in needs(), need in need(), other in need()) {
        let grants = of(&before);
        let with = read(&grants.line_with(&need));
        prop_assert!(with.cover(&need));
        prop_assert!(before.iter().all(|need| with.cover(need)));
        prop_assert!(with.contain(&grants) && grants.beyond(&with).is_empty());
        prop_assert!(with.cover(&other) || !grants.cover(&other));
    }

    #[test]
    fn what_is_in_force_is_what_both_say_and_a_denial_names_a_line_that_is_enough(granted in needs(), requested in needs(), need in need()) {
        let in_force = InForce { grants: of(&granted), requests: Some(of(&requested)) };
        let covered = in_force.cover(&need);
        let by_both = in_force.grants.cover(&need) && of(&requested).cover(&public(&need));
        if matches!(need, Need::Databases | Need::Origin(_)) {
            // Both may name some, and none in common.
            prop_assert!(by_both || !covered);
        } else {
            prop_assert_eq!(covered, by_both);
        }
        match in_force.verdict(&need) {
            Verdict::Covered => prop_assert!(covered),
            Verdict::NotGranted { line } => {
                prop_assert!(!covered);
                let wider = InForce { grants: read(&line), ..in_force };
                prop_assert!(wider.cover(&need), "{}", line);
            }
            Verdict::NotRequested => prop_assert!(!covered && !of(&requested).cover(&public(&need))),
        }
    }

    #[test]
    fn what_is_shown_in_force_is_what_is_let_through(granted in needs(), requested in needs(), silent: bool, need in need()) {
        let requests = (!silent).then(|| of(&requested));
        let in_force = InForce { grants: of(&granted), requests: requests.clone() };
        let shown = from_entries(&in_force.both().entries());
        let missing = in_force.missing();
        for need in [need].iter().chain(&granted).chain(&requested) {
            let through = in_force.verdict(need) == Verdict::Covered;
            prop_assert_eq!(shown.cover(need), through, "{}", need);
            for entry in in_force.grants.entries() {
                let one = from_entries(std::slice::from_ref(&entry));
                let alone = InForce { grants: one.clone(), requests: requests.clone() };
                let through_alone = alone.verdict(need) == Verdict::Covered;
                match in_force.effect(&entry) {
                    Effect::Whole => prop_assert_eq!(through_alone, one.cover(need), "{:?}", entry),
                    Effect::Part(part) => {
                        prop_assert_eq!(through_alone, part.cover(need), "{:?}", entry);
                        prop_assert!(!part.contain(&one), "{:?}", entry);
                    }
                    Effect::None => prop_assert!(!through_alone, "{:?}", entry),
                }
            }
            for entry in requests.iter().flat_map(Grants::entries) {
                let one = from_entries(std::slice::from_ref(&entry));
                prop_assert!(missing.contains(&entry) || !one.cover(need) || through, "{:?}", entry);
            }
        }
    }

    #[test]
    fn what_contains_another_covers_all_that_it_covers(one in needs(), other in needs(), need in need()) {
        let (one, other) = (of(&one), of(&other));
        if one.contain(&other) && other.cover(&need) {
            prop_assert!(one.cover(&need));
        }
    }

    #[test]
    fn no_entry_makes_the_reader_stumble(text: String) {
        for capability in Capability::ALL {
            let mut grants = Grants::default();
            if grants.add(capability, &text).is_ok() {
                prop_assert_eq!(read(&grants.line()), grants);
            }
        }
    }
}
