use super::*;

fn place(text: &str, secrets: Vec<Range<usize>>, span: Range<usize>) -> Place {
    Place::new(
        &Arc::new(SourceText::new("copal.toml", text, secrets)),
        span,
    )
}

fn diagnostic() -> Diagnostic {
    Diagnostic::new("`nmae` is unknown", "not a key here", "write `name`")
}

#[test]
fn a_problem_in_a_file_shows_its_line_and_a_caret() {
    let place = place("# a job\nnmae = \"x\"\n", vec![], 8..12);
    assert_eq!(place.line(), 2);
    insta::assert_snapshot!(diagnostic().at(place).to_string(), @r#"
    error: `nmae` is unknown
     --> copal.toml:2:1
      |
    2 | nmae = "x"
      | ^^^^ not a key here
      |
      = help: write `name`
    "#);
}

#[test]
fn a_problem_without_a_place_still_has_its_three_parts() {
    insta::assert_snapshot!(diagnostic().to_string(), @r"
    error: `nmae` is unknown
     |
     = note: not a key here
     = help: write `name`
    ");
}

#[test]
fn colours_are_there_only_when_asked_for() {
    assert!(!diagnostic().render(Style::Plain).contains('\u{1b}'));
    assert!(diagnostic().render(Style::Coloured).contains('\u{1b}'));
}

#[test]
fn a_secret_is_neither_in_the_snippet_nor_in_debug_and_carets_still_fit() {
    let text = "a = \"hunter2\" # é\nb = \"hunter3\"; c = 1\n";
    let at = text.find("c = 1").unwrap();
    let secret = |word: &str| {
        let start = text.find(word).unwrap();
        start..start + word.len()
    };
    let secrets = vec![secret("hunter3"), secret("hunter2")];
    let shown = diagnostic().at(place(text, secrets, at..at + 1));
    insta::assert_snapshot!(shown.to_string(), @r#"
    error: `nmae` is unknown
     --> copal.toml:2:12
      |
    2 | b = "***"; c = 1
      |            ^ not a key here
      |
      = help: write `name`
    "#);
    assert!(!format!("{shown:?}").contains("hunter"));
}

#[test]
fn a_caret_inside_a_secret_covers_its_mask() {
    let secret = 0..7;
    let place = place("hunter2!", vec![secret], 3..5);
    assert_eq!(place.shown, 0..3);
}

#[test]
fn only_the_first_of_many_lines_is_pointed_at() {
    assert_eq!(place("[\n 1,\n 2]\n", vec![], 0..9).shown, 0..1);
}

#[test]
fn a_place_at_the_end_of_the_file_can_be_shown() {
    for text in ["", "a", "a\n"] {
        let place = place(text, vec![], text.len()..text.len());
        assert!(
            diagnostic().at(place).to_string().contains("copal.toml"),
            "{text:?}"
        );
    }
}
