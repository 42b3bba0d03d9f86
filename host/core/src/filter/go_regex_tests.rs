use super::*;

/// Whether Go's expression matches the whole text, by its translation.
fn matches(go: &str, text: &str) -> bool {
    let rust = to_rust(&format!("^(?:{go})$")).unwrap();
    regex::Regex::new(&rust).unwrap().is_match(text)
}

#[test]
fn perl_classes_are_ascii() {
    assert!(matches(r"\w\d\s", "a1 ") && matches(r"\W\D\S", "éé\u{a0}"));
    assert!(!matches(r"\w", "é") && !matches(r"\d", "٣") && !matches(r"\s", "\u{b}"));
    assert!(matches(r"[\w-]+", "a-b") && matches(r"[^\w]", "é") && matches(r"[\W]", "é"));
    assert!(matches(r"a\b-", "a-") && !matches(r"a\bé?", "ab"));
}

#[test]
fn brackets_and_operators_inside_a_class_are_plain_characters() {
    assert!(matches("[a[b]]", "[]") && matches("[a&&b]", "&"));
    assert!(matches("[+--]+", "+,-") && matches("[a-c-e]+", "abc-e"));
    assert!(matches("[]a]", "]") && matches("[^]a]", "b") && !matches("[^]a]", "]"));
    assert!(matches("[a-]", "-") && matches("[~~b]", "~"));
}

#[test]
fn named_and_unicode_classes_are_kept() {
    assert!(matches("[[:alpha:]]", "a") && !matches("[[:alpha:]]", "é"));
    assert!(matches("[[:^alpha:]]", "é") && matches("[[:x]", ":"));
    assert!(matches(r"\pL\p{Greek}\P{Greek}\p{^Greek}", "éλaa"));
}

#[test]
fn escapes_mean_what_they_mean_in_go() {
    assert!(matches(r"\<\>\_\-\%", "<>_-%") && matches(r"\x41\x{3bb}\101\0", "AλA\0"));
    assert!(matches(r"\Qa.b*\E+", "a.b***") && matches(r"\Qa\b\E", r"a\b"));
    assert!(matches(r"\a\f\n\r\t\v", "\x07\x0c\n\r\t\x0b"));
    assert!(matches(r"[\]\-\\\x41]+", r"]-\A"));
}

#[test]
fn a_brace_that_is_no_repetition_is_a_plain_character() {
    assert!(matches("a{2}", "aa") && matches("a{1,}b{0,1}", "aab"));
    for plain in ["a{", "a{}", "a{,2}", "a{x}", "a{1,x}", "a{01}", "a{1"] {
        assert!(matches(plain, plain), "{plain}");
    }
}

#[test]
fn groups_and_flags_are_kept() {
    assert!(matches("(a)(?:b)(?i:c)(?P<x>d)(?<y>e)", "abCde") && matches("(?i)a(?-i)b", "Ab"));
    assert!(matches("(?s).", "\n") && !matches(".", "\n") && matches("a??b+?", "ab"));
}

#[test]
fn what_go_refuses_or_rust_reads_otherwise_is_refused() {
    for go in [
        "a**",
        "a*+",
        "a{2}{3}",
        "a???",
        r"\B",
        r"\C",
        r"\1",
        r"\8",
        r"\Z",
        r"\é",
        r"\",
        r"\xg1",
        r"\x{110000}",
        r"\x{D800}",
        r"\x",
        "(?x)a",
        "(?R)",
        "(?=a)",
        "(?P=a)",
        "(?",
        "[",
        "[a",
        "[]",
        "[b-a]",
        r"[\b]",
        r"[\z]",
        r"[a-\d]",
        "[[:Alpha:]]",
        r"\p{sc=Greek}",
        r"\p",
        r"\p{",
    ] {
        assert!(to_rust(go).is_err(), "{go}");
    }
}
