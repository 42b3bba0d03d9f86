//! How much is done.

/// What is done without `COPAL_SOAK`, of each trial.
const QUICK: f64 = 0.025;

/// The share that is done, of the whole.
pub(crate) fn share() -> f64 {
    let set = std::env::var("COPAL_SOAK").ok();
    set.map_or(QUICK, |text| {
        text.parse().expect("COPAL_SOAK is a number, such as 1")
    })
}

/// Whether all of it is done, and what takes minutes as well.
pub(crate) fn is_whole() -> bool {
    share() >= 1.0
}

/// How often something is done that the whole does `whole` times: at least once.
pub(crate) fn times(whole: u32) -> u32 {
    let some = (f64::from(whole) * share()).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small count"
    )]
    let some = some as u32;
    some.max(1)
}

/// Some of a list, spread over all of it.
pub(crate) fn some_of<T>(all: Vec<T>) -> Vec<T> {
    let length = u32::try_from(all.len()).unwrap();
    let wanted = times(length).min(length);
    // From the middle of each part: the ends of a run are the dullest moments.
    let chosen = |at: usize| {
        (0..wanted).any(|n| {
            let middle = (2 * n + 1) * length / (2 * wanted);
            usize::try_from(middle).unwrap() == at
        })
    };
    let kept = all.into_iter().enumerate().filter(|(at, _)| chosen(*at));
    kept.map(|(_, one)| one).collect()
}
