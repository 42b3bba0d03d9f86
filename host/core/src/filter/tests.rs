use super::*;
use proptest::prelude::*;

fn rules(lines: &[&str]) -> FilterRules {
    FilterRules::parse(lines).unwrap()
}

/// What of `paths` is kept; those that end with `/` are directories.
fn kept<'a>(lines: &[&str], paths: &[&'a str]) -> Vec<&'a str> {
    let rules = rules(lines);
    let is_kept = |path: &&&str| {
        let (path, is_dir) = path
            .strip_suffix('/')
            .map_or((**path, false), |p| (p, true));
        rules.verdict_of_bytes(path.as_bytes(), is_dir) == Verdict::Keep
    };
    paths.iter().filter(is_kept).copied().collect()
}

#[test]
fn the_first_rule_that_matches_decides_and_what_none_matches_is_kept() {
    let paths = ["a.tmp", "keep.tmp", "a.txt", "x/keep.tmp"];
    let lines = ["+ keep.tmp", "- *.tmp", "+ a.tmp"];
    assert_eq!(kept(&lines, &paths), ["keep.tmp", "a.txt", "x/keep.tmp"]);
}

#[test]
fn comments_empty_lines_and_white_space_around_rules_are_nothing() {
    let lines = ["# a", "; b", "", "  ", " - /a \r", "\u{a0}- /b\u{a0}"];
    assert_eq!(kept(&lines, &["a", "b", "c"]), ["c"]);
    assert!(rules(&["# - *"]).is_empty());
}

#[test]
fn an_exclamation_mark_forgets_what_came_before() {
    assert_eq!(kept(&["- *", "!", "- b"], &["a", "b", "c/"]), ["a", "c/"]);
}

#[test]
fn a_rooted_rule_matches_at_the_top_only() {
    let paths = ["cache/", "x/cache/", "cache/a", "x/cache/a", "cache"];
    assert_eq!(
        kept(&["- /cache/"], &paths),
        ["x/cache/", "x/cache/a", "cache"]
    );
    assert_eq!(kept(&["- cache/"], &paths), ["cache"]);
}

#[test]
fn a_directory_is_skipped_with_everything_in_it() {
    let path = |text: &str| text.parse::<RelPath>().unwrap();
    let rules = rules(&["- /cache/**", "- /audit.log"]);
    assert_eq!(rules.verdict(&path("cache"), true), Verdict::SkipSubtree);
    assert_eq!(rules.verdict(&path("cache/a"), false), Verdict::Skip);
    assert_eq!(rules.verdict(&path("audit.log"), false), Verdict::Skip);
    assert_eq!(rules.verdict(&path("audit.log"), true), Verdict::Keep);
    assert_eq!(rules.verdict(&path("x/audit.log"), false), Verdict::Keep);
}

#[test]
fn only_directories_that_could_hold_what_is_included_are_walked() {
    let lines = ["+ /photos/*.jpg", "- *"];
    let paths = [
        "photos/",
        "photos/2026/",
        "notes/",
        "photos/a.jpg",
        "photos/a.png",
        "b.jpg",
    ];
    assert_eq!(kept(&lines, &paths), ["photos/", "photos/a.jpg"]);
    let lines = ["+ *.jpg", "- *"];
    assert_eq!(
        kept(&lines, &paths),
        ["photos/", "photos/2026/", "notes/", "photos/a.jpg", "b.jpg"]
    );
}

#[test]
fn including_a_directory_keeps_it_but_not_its_files() {
    assert_eq!(kept(&["+ /a/", "- **"], &["a/", "a/x", "b/"]), ["a/"]);
}

#[test]
fn an_exclusion_of_files_excludes_no_directory() {
    assert_eq!(kept(&["- a"], &["a", "a/", "a/x"]), ["a/", "a/x"]);
}

#[test]
fn regular_expressions_and_alternatives_are_read() {
    let lines = [r"- {{img_\d{4}}}.jpg", "- *.{tmp,bak}", "- [!a-y]"];
    let paths = ["img_0001.jpg", "img_x.jpg", "x.bak", "z", "y", "é"];
    assert_eq!(kept(&lines, &paths), ["img_x.jpg", "y"]);
}

#[test]
fn case_matters() {
    assert_eq!(kept(&["- A"], &["a", "A"]), ["a"]);
}

#[test]
fn each_byte_that_is_not_utf8_counts_as_one_character() {
    let question = rules(&["- /??"]);
    let verdict = |rules: &FilterRules, path: &[u8]| rules.verdict_of_bytes(path, false);
    assert_eq!(verdict(&question, b"\xe9\xff"), Verdict::Skip);
    // A truncated sequence is two bytes, and two characters.
    assert_eq!(verdict(&question, b"\xe2\x82"), Verdict::Skip);
    assert_eq!(verdict(&question, "€".as_bytes()), Verdict::Keep);
    assert_eq!(verdict(&rules(&["- caf*"]), b"caf\xe9"), Verdict::Skip);
    assert_eq!(verdict(&rules(&["- café"]), b"caf\xe9"), Verdict::Keep);
}

#[test]
fn two_stars_stop_at_a_line_break_as_in_rclone() {
    let paths = ["cache/", "cache/a\nb", "cache/a"];
    assert_eq!(kept(&["- /cache/"], &paths), ["cache/a\nb"]);
    assert_eq!(kept(&["- *"], &["a\nb"]), [""; 0]);
}

#[test]
fn a_rule_that_can_not_be_read_is_refused_by_line() {
    let error = |lines: &[&str]| FilterRules::parse(lines).unwrap_err().to_string();
    insta::assert_snapshot!(
        [
            error(&["- a", "# b", "cache/"]),
            error(&["-a"]),
            error(&["+ "]),
            error(&["- a\u{1b}***"]),
            error(&["- [a"]),
            error(&[r"- {{\B}}"]),
            error(&["- {{a**}}"]),
            error(&["- {{[b-a]}}", "!"]),
        ]
        .join("\n"),
        @r"
    filter rule 3, `cache/`: a rule is `+ GLOB`, `- GLOB` or `!`
    filter rule 1, `-a`: a rule is `+ GLOB`, `- GLOB` or `!`
    filter rule 1, `+`: a rule is `+ GLOB`, `- GLOB` or `!`
    filter rule 1, `- a\u{1b}***`: there are more than two stars in a row
    filter rule 1, `- [a`: `[` and `]` don't match
    filter rule 1, `- {{\\B}}`: `\B` is not supported in a regular expression
    filter rule 1, `- {{a**}}`: a repetition is repeated
    filter rule 1, `- {{[b-a]}}`: a character class is malformed
    "
    );
}

fn glob() -> impl Strategy<Value = String> {
    let name = "[ab*?]{1,3}".prop_filter("`**` comes below", |name| !name.contains("**"));
    let path = proptest::collection::vec(name, 1..4).prop_map(|names| names.join("/"));
    let end = proptest::sample::select(vec!["", "/", "/**"]);
    (any::<bool>(), path, end).prop_map(|(is_rooted, path, end)| {
        let root = if is_rooted { "/" } else { "" };
        format!("{root}{path}{end}")
    })
}

/// Rules, without those that keep what has a slash in its midst at any depth: rclone looks for
/// these at the top alone, if other directories are left out.
fn lines() -> impl Strategy<Value = Vec<String>> {
    let line = (any::<bool>(), glob()).prop_map(|(keeps, glob)| {
        let is_shallow = glob.starts_with('/') || !glob.contains('/');
        let sign = if keeps && is_shallow { '+' } else { '-' };
        format!("{sign} {glob}")
    });
    proptest::collection::vec(line, 0..6)
}

proptest! {
    #[test]
    fn without_rules_everything_is_kept(path: Vec<u8>, is_dir: bool) {
        let verdict = FilterRules::default().verdict_of_bytes(&path, is_dir);
        prop_assert_eq!(verdict, Verdict::Keep);
    }

    #[test]
    fn every_file_in_a_skipped_subtree_would_be_skipped(
        lines in lines(), catch_all: bool, path in "[ab]{1,2}(/[ab]{1,2}){1,3}",
    ) {
        let catch_all = catch_all.then(|| "- *".to_owned());
        let rules = FilterRules::parse(lines.into_iter().chain(catch_all)).unwrap();
        let skipped = |path: &str| rules.verdict_of_bytes(path.as_bytes(), true) == Verdict::SkipSubtree;
        let mut parents = path.match_indices('/').map(|(slash, _)| &path[..slash]);
        if parents.any(skipped) {
            prop_assert_eq!(rules.verdict_of_bytes(path.as_bytes(), false), Verdict::Skip);
        }
    }

    #[test]
    fn a_file_is_never_a_subtree(lines in lines(), path in "[ab/]{0,9}") {
        let verdict = FilterRules::parse(lines).unwrap().verdict_of_bytes(path.as_bytes(), false);
        prop_assert_ne!(verdict, Verdict::SkipSubtree);
    }

    #[test]
    fn rules_before_an_exclamation_mark_change_nothing(
        before in lines(), after in lines(), path in "[ab/]{0,9}", is_dir: bool,
    ) {
        let alone = FilterRules::parse(&after).unwrap();
        let cleared = before.iter().map(String::as_str).chain(["!"]);
        let both = FilterRules::parse(cleared.chain(after.iter().map(String::as_str))).unwrap();
        let verdict = |rules: &FilterRules| rules.verdict_of_bytes(path.as_bytes(), is_dir);
        prop_assert_eq!(verdict(&alone), verdict(&both));
    }

    #[test]
    fn no_rule_makes_the_reader_stumble(rule in r"[+-] [\[\]{}*?!^\\/,.a-z:&|()0-9$\n-]{0,16}", path: Vec<u8>) {
        if let Ok(rules) = FilterRules::parse([rule]) {
            rules.verdict_of_bytes(&path, false);
        }
    }
}

#[test]
fn a_rule_that_compiles_to_more_than_a_rule_may_is_refused_by_name() {
    let huge = r"- {{(?:a{1000}){200}}}";
    let error = FilterRules::parse(["- /x", huge]).unwrap_err();
    assert_eq!((error.line, error.rule.as_str()), (2, huge));
    assert!(error.to_string().contains("size limit of 1048576 bytes"));
}

#[test]
fn rules_that_come_to_more_patterns_than_they_may_are_refused_where_they_do() {
    let deep = format!("+ /{}x", "a/".repeat(500));
    let error = FilterRules::parse([deep.as_str(), "- /x", &deep]).unwrap_err();
    assert_eq!((error.line, error.reason.clone()), (3, RuleFault::TooMuch));
    assert!(error.to_string().contains("262144 bytes of patterns"));
    // What is forgotten was compiled all the same.
    let forgotten = FilterRules::parse([deep.as_str(), "!", &deep]).unwrap_err();
    assert_eq!(forgotten.line, 3);
    let many = (0..2000).map(|n| format!("- /some/directory/{n}/of/{{one,two}}/*.tmp"));
    assert!(FilterRules::parse(many).is_ok());
}
