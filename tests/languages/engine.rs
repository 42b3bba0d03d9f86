//! The same hook in each language, called by the engine.

use std::sync::Arc;

use copal_hooks::{EntryKind, FailureKind, Limits, Verdict};
use serde_json::{Value, json};

use crate::in_each_language;
use crate::kit::{self, Language, Noting};

const ORIGIN: &str = "https://hooks.example.com";

in_each_language!(
    the_filter_decides_by_suffix_and_size_whatever_bytes_a_name_has,
    ten_thousand_paths_get_their_verdicts_in_their_order,
    the_post_hook_posts_once_what_became_of_the_run,
    without_the_grant_it_is_denied_with_the_line_to_add,
    a_config_that_does_not_fit_is_an_error_that_names_the_key,
    what_its_author_requests_is_in_the_component,
);

/// What the filter of these components is to say.
fn expected(path: &[u8], size: u64) -> Verdict {
    let unwanted = path.ends_with(b".tmp") || path.ends_with(b".swp") || size > 1000;
    if unwanted {
        Verdict::Skip
    } else {
        Verdict::Keep
    }
}

fn filter_config() -> Value {
    json!({ "suffixes": [".tmp", ".swp"], "max-size": 1000 })
}

#[track_caller]
fn decides_as_expected(language: Language, paths: &[(Vec<u8>, u64)]) {
    let Some(component) = language.hook() else {
        return;
    };
    let hook = kit::load(&component, filter_config(), &json!({}), Limits::default());
    let mut session = kit::filter(&hook).unwrap();
    assert_eq!(session.approach().rules, [""; 0]);
    let mut batch = session.batch();
    for chunk in paths.chunks(4096) {
        batch.clear();
        for (path, size) in chunk {
            batch.push(path, EntryKind::File, *size, 0);
        }
        let verdicts = session.decide(&batch).unwrap();
        let wanted: Vec<_> = chunk
            .iter()
            .map(|(path, size)| expected(path, *size))
            .collect();
        assert!(
            verdicts == wanted,
            "some verdict of {} is wrong",
            chunk.len()
        );
    }
    assert_eq!(session.finish().deeds, []);
}

fn the_filter_decides_by_suffix_and_size_whatever_bytes_a_name_has(language: Language) {
    let names: [&[u8]; 12] = [
        b"letter.txt",
        b"notes/draft.tmp",
        b".tmp",
        b"tmp",
        b"\xff\xfe.tmp",
        b"\xff\xfe",
        b"a\nb.swp",
        "über/größe.swp".as_bytes(),
        "über/größe".as_bytes(),
        b"a.tmp/b",
        b"x.tmp\xff",
        b"\x80.swp/\xc3",
    ];
    let paths: Vec<_> = names
        .iter()
        .flat_map(|name| [0, 1000, 1001, u64::MAX / 2].map(|size| (name.to_vec(), size)))
        .collect();
    decides_as_expected(language, &paths);
    decides_as_expected(language, &[]);
}

fn ten_thousand_paths_get_their_verdicts_in_their_order(language: Language) {
    let endings = [".txt", ".tmp", "", ".swp", ".tmp.gz"];
    let paths: Vec<_> = (0..10_000_u64)
        .map(|i| {
            let ending = endings[usize::try_from(i % 5).unwrap()];
            let path = format!("uploads/{}/document number {i}{ending}", i % 97);
            (path.into_bytes(), i * i % 1500)
        })
        .collect();
    decides_as_expected(language, &paths);
}

fn url_config() -> Value {
    json!({ "url": format!("{ORIGIN}/told?by=copal") })
}

fn the_post_hook_posts_once_what_became_of_the_run(language: Language) {
    let Some(component) = language.hook() else {
        return;
    };
    let grants = json!({ "http": [format!("POST {ORIGIN}")] });
    let hook = kit::load(&component, url_config(), &grants, Limits::default());
    let host = Arc::new(Noting::default());
    let account = kit::post_backup(&hook, &host).unwrap();

    let requests = host.requests();
    let [request] = requests.as_slice() else {
        panic!("{} requests", requests.len());
    };
    assert_eq!(
        request.url().expose(),
        format!("{ORIGIN}/told?by=copal").as_bytes()
    );
    assert_eq!(request.method.to_string(), "POST");
    let header = |(name, value): &(String, Vec<u8>)| {
        (name == "content-type").then(|| String::from_utf8_lossy(value).into_owned())
    };
    let content_type = request.headers.iter().find_map(header);
    assert_eq!(content_type.as_deref(), Some("application/json"));
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let wanted = json!({ "outcome": "succeeded", "snapshot": "20261125T030000Z", "files": 42 });
    assert_eq!(body, wanted);

    assert_eq!(account.deeds.len(), 1);
    let told = account
        .log
        .iter()
        .any(|line| line.contains("the receiver was told"));
    assert!(told, "{:?}", account.log);
}

fn without_the_grant_it_is_denied_with_the_line_to_add(language: Language) {
    let Some(component) = language.hook() else {
        return;
    };
    let hook = kit::load(&component, url_config(), &json!({}), Limits::default());
    let host = Arc::new(Noting::default());
    let failure = kit::post_backup(&hook, &host).unwrap_err();
    let FailureKind::Denied(denial) = failure.kind else {
        panic!("{failure}");
    };
    assert_eq!(denial.value, format!("POST {ORIGIN}"));
    assert_eq!(
        denial.remedy(),
        format!("grants = {{ http = [\"POST {ORIGIN}\"] }}")
    );
    assert_eq!(host.requests(), []);
    // No word of a stream that broke off, which only puzzles.
    assert_eq!(failure.last_words, [""; 0]);
}

fn a_config_that_does_not_fit_is_an_error_that_names_the_key(language: Language) {
    let Some(component) = language.hook() else {
        return;
    };
    for (config, key) in [
        (json!({ "suffixes": [1] }), "suffixes"),
        (json!({ "suffixes": ".tmp" }), "suffixes"),
        (json!({ "max-size": "large" }), "max-size"),
        (json!({ "sufixes": [] }), "sufixes"),
    ] {
        let hook = kit::load(&component, config.clone(), &json!({}), Limits::default());
        let Err(failure) = kit::filter(&hook) else {
            panic!("{config} is taken");
        };
        let FailureKind::Error { code, message } = &failure.kind else {
            panic!("{failure}");
        };
        assert_eq!(code, "invalid", "{config}");
        // serde names the type of what stands in a wrong place, not the place.
        let named = message.contains(key) || language == Language::Rust;
        assert!(
            named && message.starts_with("config: "),
            "{config}: {message}"
        );
    }
    let hook = kit::load(&component, json!({}), &json!({}), Limits::default());
    let failure = kit::post_backup(&hook, &Arc::default()).unwrap_err();
    assert!(
        failure.to_string().ends_with("config: `url` is missing"),
        "{failure}"
    );
}

fn what_its_author_requests_is_in_the_component(language: Language) {
    let Some(component) = kit::component(language.name()) else {
        return;
    };
    let inspection = copal_hooks::inspect(&component).unwrap();
    let requests = inspection.requests.unwrap();
    assert_eq!(
        requests.line(),
        "grants = { http = [\"POST http://127.0.0.1:9000\"] }"
    );
    let phases: Vec<_> = inspection.phases.iter().map(ToString::to_string).collect();
    assert_eq!(phases, ["filter", "post-backup"]);
}
