use super::*;

#[test]
fn globs_become_the_expressions_that_rclone_makes_of_them() {
    for (glob, regex) in [
        ("", "(^|/)$"),
        ("/", "^$"),
        ("notes", "(^|/)notes$"),
        ("/notes", "^notes$"),
        ("*", "(^|/)[^/]*$"),
        ("**", "(^|/).*$"),
        ("?", "(^|/)[^/]$"),
        ("a*b**c", "(^|/)a[^/]*b.*c$"),
        ("a.b+(c)|^$", r"(^|/)a\.b\+\(c\)\|\^\$$"),
        ("[a-f]x", "(^|/)[a-f]x$"),
        ("[!a-f]", "(^|/)[^/a-f]$"),
        ("[^a-f]", "(^|/)[^/a-f]$"),
        ("[a!^]", "(^|/)[a!^]$"),
        ("[*?]", "(^|/)[*?]$"),
        ("*.{jpg,png}", r"(^|/)[^/]*\.(jpg|png)$"),
        ("{a,{b,c}*}", "(^|/)(a|(b|c)[^/]*)$"),
        ("a,b", "(^|/)a,b$"),
        (r"\*\{", r"(^|/)\*\{$"),
        (r"a\", r"(^|/)a\$"),
        (r"{{a.*}}b", "(^|/)(a.*)b$"),
        (r"{{a{2}}}", "(^|/)(a{2})$"),
        (r"{{\d+}}.x", r"(^|/)(\d+)\.x$"),
        ("/{{}}", "^()$"),
        (r"{\{{a}}", r"(^|/)(\{a)$"),
    ] {
        assert_eq!(to_go_regex(glob).as_deref(), Ok(regex), "{glob}");
    }
}

#[test]
fn malformed_globs_are_refused() {
    for (glob, error) in [
        ("***", GlobError::TooManyStars),
        ("a***b", GlobError::TooManyStars),
        ("[a", GlobError::Brackets),
        ("a]", GlobError::Brackets),
        ("[[]", GlobError::Brackets),
        ("[!]", GlobError::EmptyClass),
        ("[^]", GlobError::EmptyClass),
        ("{a", GlobError::Braces),
        ("a}", GlobError::Braces),
        ("{{a", GlobError::OpenRegex),
        ("{{a}", GlobError::OpenRegex),
    ] {
        assert_eq!(to_go_regex(glob), Err(error), "{glob}");
    }
}

#[test]
fn directories_are_those_in_which_a_match_can_lie() {
    for (glob, expected) in [
        ("*", &["/**"][..]),
        ("/notes", &["/"]),
        ("notes", &["/**"]),
        ("/a/b/*.jpg", &["/a/b/", "/a/", "/"]),
        ("a/*.jpg", &["a/"]),
        ("/a/**", &["/a/**/", "/a/", "/"]),
        ("/a//b", &["/a/", "/"]),
        ("a**b", &["a**/"]),
        ("/a**b/c", &["/a**b/", "/a**/", "/"]),
        ("/{a,b}/c", &["/{a,b}/", "/"]),
        ("/{a/b,c}/d", &["/**"]),
        ("/{a**,c}/d", &["/**"]),
        ("/x/{{a}}", &["/**"]),
        ("/x/{a,{b}}", &["/**"]),
    ] {
        assert_eq!(directories(glob), expected, "{glob}");
    }
}
