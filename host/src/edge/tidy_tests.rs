use super::*;

fn begun(names: &[&str], path: &str) -> bool {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    Sent::of(names.iter()).has_begun(path)
}

#[test]
fn what_is_there_of_a_file_that_was_sent_is_told_from_others_partial_files() {
    let sent = ["a.txt", "deep/b", "c.0a1b2c3d.partial"];
    assert!(begun(&sent, "a.txt.0a1b2c3d.partial"));
    assert!(begun(&sent, "deep/b.ffffffff.partial"));
    assert!(begun(&sent, "c.0a1b2c3d.partial.01234567.partial"));
    for other in [
        "stranger.partial",
        "stranger.0a1b2c3d.partial",
        "a.txt.partial",
        "a.txt.0a1b2c3.partial",
        "a.txt.0a1b2c3g.partial",
        "a.txt.0a1b2c3d.part",
        "deep/a.txt.0a1b2c3d.partial",
        "c.0a1b2c3d.partial",
    ] {
        assert!(!begun(&sent, other), "{other}");
    }
}

#[test]
fn of_a_long_name_as_much_is_left_as_keeps_its_length() {
    let long = format!("deep/{}", "x".repeat(101));
    let partial = format!("{}.0a1b2c3d.partial", &long[..long.len() - 17]);
    assert_eq!(partial.len(), long.len());
    assert!(begun(&[&long], &partial));
    assert!(!begun(&[&long], &format!("{long}.0a1b2c3d.partial")));
    let wide = "ä".repeat(60);
    let partial = format!("{}.0a1b2c3d.partial", "ä".repeat(51));
    assert!(begun(&[&wide], &partial));
}
