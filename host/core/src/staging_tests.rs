use super::*;

const MAX_PAUSE: Duration = Duration::from_secs(30);

fn here() -> Circumstances {
    Circumstances {
        may_hold: true,
        reflink: Ok(Copies::default()),
        link: Ok(Copies::default()),
        copy: copies(100),
        max_pause: MAX_PAUSE,
    }
}

fn copies(mebibytes: u64) -> Copies {
    Copies {
        files: 3,
        bytes: ByteCount::mebibytes(mebibytes),
    }
}

fn no<T>() -> Result<T, String> {
    Err("it can't".to_owned())
}

fn auto(here: &Circumstances) -> (Way, String) {
    let choice = choose(StagingMode::Auto, here).unwrap();
    (choice.way, choice.why)
}

#[test]
fn auto_takes_the_first_way_that_serves_and_says_what_kept_it_from_the_others() {
    let mut here = here();
    assert_eq!(
        auto(&here),
        (Way::Reflink, "the file system clones files".into())
    );
    here.reflink = no();
    assert_eq!(auto(&here), (Way::Link, "not reflink: it can't".into()));
    here.link = no();
    let why = "not reflink: it can't; not link: it can't";
    assert_eq!(auto(&here), (Way::Copy, why.into()));
    here.copy = copies(4000);
    let why = "not reflink: it can't; not link: it can't; not copy: copying 3.9 GiB would not fit into max_pause";
    assert_eq!(auto(&here), (Way::Direct, why.into()));
}

#[test]
fn without_a_hook_that_may_hold_auto_reads_the_live_tree() {
    let here = Circumstances {
        may_hold: false,
        ..here()
    };
    assert_eq!(
        auto(&here),
        (Way::Direct, "no hook may hold a service".into())
    );
}

#[test]
fn what_would_be_copied_beside_clones_and_links_counts_against_the_pause() {
    let here = Circumstances {
        reflink: Ok(copies(4000)),
        ..here()
    };
    assert_eq!(auto(&here).0, Way::Link);
}

#[test]
fn what_the_owner_asks_for_is_taken_or_refused() {
    for mode in StagingMode::ALL {
        if mode != StagingMode::Auto {
            let choice = choose(mode, &here()).unwrap();
            assert_eq!(choice.way.name(), mode.name());
            assert!(choice.asked_for);
        }
    }
    let here = Circumstances {
        reflink: no(),
        link: Ok(copies(4000)),
        ..here()
    };
    let refused = |mode| choose(mode, &here).unwrap_err().to_string();
    assert_eq!(
        refused(StagingMode::Reflink),
        "the source can't be staged with `mode = \"reflink\"`: it can't"
    );
    assert_eq!(
        refused(StagingMode::Link),
        "with `mode = \"link\"`, 3 files (3.9 GiB) would be copied while services are held, which may take 81 s, and `max_pause` is 30 s"
    );
}

#[test]
fn nobody_waits_for_copies_where_nothing_is_held() {
    let here = Circumstances {
        may_hold: false,
        copy: copies(4000),
        ..here()
    };
    assert_eq!(choose(StagingMode::Copy, &here).unwrap().way, Way::Copy);
}
