//! Where the pages lead to.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::blocks::{examples, pages, top};

/// All that is written for people.
fn texts() -> Vec<PathBuf> {
    let others = [
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "guest-hooks/examples/README.md",
    ];
    let pages = pages().into_iter().chain(examples());
    let all = pages.chain(others.map(str::to_owned));
    all.map(|file| top().join(file)).collect()
}

fn events(text: &str) -> Parser<'_> {
    Parser::new_ext(text, Options::ENABLE_TABLES)
}

/// What a link into a page can name: its headings, as GitHub writes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut heading = None;
    for event in events(text) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(part) | Event::Code(part) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&part);
                }
            }
            Event::End(TagEnd::Heading(_)) => anchors.extend(heading.take().map(|it| anchor(&it))),
            _ => {}
        }
    }
    anchors
}

fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// Why a link of a page leads nowhere.
fn dead(page: &Path, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = if file.is_empty() {
        page.to_owned()
    } else {
        page.parent()?.join(file)
    };
    if !target.exists() {
        return Some(format!("{}: there is no `{link}`", page.display()));
    }
    let has = |anchor| anchors(&fs::read_to_string(&target).unwrap()).contains(anchor);
    if anchor.is_empty() || has(anchor) {
        return None;
    }
    Some(format!("{}: no heading for `{link}`", page.display()))
}

#[test]
fn every_link_leads_to_a_file_and_a_heading_that_are_there() {
    let mut all = Vec::new();
    let mut seen = 0;
    for page in texts() {
        let text = fs::read_to_string(&page).unwrap();
        for event in events(&text) {
            if let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event {
                seen += 1;
                all.extend(dead(&page, &dest_url));
            }
        }
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
    assert!(seen > 100, "the pages lead to each other: {seen}");
    assert_eq!(
        anchor("What `copal` keeps, and why?"),
        "what-copal-keeps-and-why"
    );
    assert!(dead(&top().join("README.md"), "docs/restore.md#nowhere").is_some());
}
